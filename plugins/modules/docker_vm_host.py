#!/usr/bin/python
# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_vm_host
short_description: Create, update, stop and delete the Azure virtual machine of a Docker host
version_added: 0.1.0
description:
  - Creates a Linux virtual machine on Azure with everything that a Docker host needs - resource group, virtual
    network with a subnet, network security group, public IP address with a DNS name, and network interface.
  - Resources that do not depend on each other are created in parallel.
  - Everything that it creates has the collection's tags. A resource of the same name without these tags is never
    changed or deleted, unless O(adopt=true).
  - A run that was interrupted or failed can be repeated; it continues from what exists.
  - M(dockerhost.azure.docker_vm_extension) installs and configures Docker. With O(engine), a new host installs it
    already at its first boot, see O(engine.at_boot).
author:
  - The dockerhost.azure authors (@dockerhost)
extends_documentation_fragment:
  - dockerhost.azure._attributes
  - dockerhost.azure._azure
  - dockerhost.azure._azure.requirements
  - dockerhost.azure._engine
attributes:
  check_mode:
    support: full
    details:
      - Azure is read, nothing is changed. Addresses that are not known before creation are listed in
        RV(ignore:host.unknown).
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - O(state=restarted) always acts.
  action:
    support: full
  async:
    support: full
  safe_file_operations:
    support: full
options:
  name:
    description:
      - The host's name. The virtual machine has this name, the other resources are called C(NAME-nic), C(NAME-ip) and
        C(NAME-nsg).
      - 1 to 64 letters, digits, underscores, periods and hyphens, the first a letter or digit, the last neither
        period nor hyphen.
    type: str
    required: true
  resource_group:
    description:
      - The resource group. It is created if it does not exist.
    type: str
    required: true
  location:
    description:
      - The region. Defaults to that of the virtual network or of the resource group; needed when the group does not
        exist.
    type: str
  state:
    description:
      - V(present) and V(started) create the host, or update it to match the options; V(started) also starts it when
        it is not running.
      - V(stopped) powers it off; it stays allocated and billed. V(deallocated) powers it off and releases its
        hardware. A deallocated host counts as stopped.
      - V(running) starts it if it is not running. V(restarted) always restarts it; a stopped one is started.
      - V(running), V(stopped), V(deallocated) and V(restarted) need an existing host, and change nothing else. The
        options that describe it need not be repeated.
      - V(absent) deletes what was created for it, see O(remove_on_absent).
    type: str
    choices: [present, started, running, stopped, deallocated, restarted, absent]
    default: present
  tags:
    description:
      - Tags for the host's resources, in addition to the collection's own.
      - Azure ignores the case of a tag's name. A tag that exists in another case is updated and keeps its case.
    type: dict
  append_tags:
    description:
      - With V(false), tags that are neither in O(tags) nor the collection's own are removed from the host's
        resources.
    type: bool
    default: true
  adopt:
    description:
      - Take over resources of the same names that this collection did not create, and manage them from then on. They
        are tagged, and deleted with the host. A network C(docker-vnet) is only tagged, and deleted with the last
        host.
    type: bool
    default: false
  allow_stop:
    description:
      - Allow changes that restart or stop the running host for a while.
      - Azure restarts a running host for another O(vm_size) that is available where it runs, and for another
        O(security_profile.secure_boot_enabled) or O(security_profile.v_tpm_enabled).
      - The host must be deallocated for any other O(vm_size), for a larger O(os_disk_size_gb), another
        O(managed_disk_type), O(data_disks[].managed_disk_type) or O(data_disks[].caching), a data disk that grows
        beyond 4095 GiB, another O(max_price) or O(proximity_placement_group), O(security_profile.security_type), and
        O(security_profile.encryption_at_host).
      - A stopped host is deallocated without this option, and stays deallocated.
    type: bool
    default: false
  require_running:
    description:
      - Fail before the first change if the host exists and is off, also in check mode. For callers whose next change
        needs a running host, such as a change of its engine's settings.
      - Only used with O(state=present); O(state=started) starts the host.
    type: bool
    default: false
  require_ssh:
    description:
      - Fail before the first change if the host's own security group would let nobody connect to SSH, also in check
        mode. For callers that connect over SSH.
      - It has no effect with O(security_group), O(network_interface) or O(address), or without a public IP address.
    type: bool
    default: false
  on_failure:
    description:
      - What to do with the resources that a failed run created - V(keep) them, so that the next run continues from
        there, or V(remove) them.
      - Resources that others use in the meantime stay, and so does a resource group that is not empty.
      - The removal may take another O(wait_timeout).
    type: str
    choices: [keep, remove]
    default: keep
  remove_on_absent:
    description:
      - What O(state=absent) deletes of the resources that were created for the host.
      - V(all) is everything except the resource group. It includes resources that were created for the host and that
        the options now replace with others (O(security_group), O(public_ip_address), O(network_interface),
        O(virtual_network), O(assign_public_ip=false)).
      - The shared virtual network is deleted only if nothing else is in it. Otherwise the subnet of O(subnet_name) is
        deleted if nothing else is in it, unless it is C(docker) or has more than an address range (a security group,
        routes, a NAT gateway, service endpoints, a delegation). Subnets have no tags. To protect your own subnet in the
        shared network, put something into it, or give it one of these.
      - V(resource_group) is V(all), and also the resource group, if this collection created it and nothing else is in
        it.
      - Network, subnet and group are read again after the host is deleted, so several hosts can be deleted at the same
        time. Check mode decides by their current content.
    type: list
    elements: str
    choices:
      - all
      - virtual_machine
      - network_interface
      - public_ip_address
      - security_group
      - disks
      - virtual_network
      - resource_group
    default: [all]
  wait:
    description:
      - Wait until the virtual machine's own operation has finished. With V(false) it continues in Azure after the task,
        and the next run does not wait for it either.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds after which waiting for Azure ends with an error. Operations that were started continue in Azure;
        another run waits for them.
    type: int
    default: 1800
  preflight:
    description:
      - Before a new host is created, ask Azure whether size, image (and the terms of its plan), quota and DNS label
        are available, whether availability set, placement group and identities exist, whether the signed-in identity
        has the permissions, and whether the subscription is registered for the resource providers. A provider that is
        not registered is registered first. In check mode this only reads.
    type: bool
    default: true
  vm_size:
    description:
      - The size. An existing host keeps its size.
      - Defaults to V(Standard_B2als_v2) for a new host, or to the next of V(Standard_B2ls_v2), V(Standard_B2as_v2),
        V(Standard_B2s_v2), V(Standard_D2als_v6), V(Standard_D2as_v5) and V(Standard_D2ads_v5) that Azure offers to the
        subscription in O(location) and O(zone), and that the image, the other options and the quota allow.
      - For an Arm64 image the sizes are V(Standard_B2pls_v2), V(Standard_B2ps_v2), V(Standard_D2pls_v6),
        V(Standard_D2pls_v5) and V(Standard_D2pds_v5).
      - Without the permission to list sizes, and with O(preflight=false), a new host gets the first one.
      - Changing it restarts a running host, which O(allow_stop) must allow.
    type: str
  image:
    description:
      - The image of a new host. Defaults to V(ubuntu), which is Ubuntu 24.04 LTS.
      - An alias for the newest image of a predefined family (V(ubuntu), V(ubuntu-26.04), V(ubuntu-24.04),
        V(ubuntu-22.04), V(debian), V(debian-13), V(debian-12), V(almalinux-10), V(almalinux-9), V(rocky-10),
        V(rocky-9), V(rhel-10), V(rhel-9), V(sles-15), V(azurelinux-3)), a URN C(publisher:offer:sku:version), the id of
        a managed image or of one in a gallery (shared and community galleries too), or a dictionary with C(publisher),
        C(offer), C(sku) and C(version), or with C(id).
      - Docker builds no packages for V(sles-15) and V(azurelinux-3). There the engine comes from the distribution,
        unless the option C(engine) of M(dockerhost.azure.docker_vm_extension) says otherwise.
      - An image to which you bring a subscription of your own, such as C(SUSE:sles-15-sp7-byos:gen2:latest), has no
        package sources before the VM is registered. Unless O(preflight=false), O(custom_data) must be set, to register
        it.
      - If the publisher of the image is going to withdraw it, the result contains a warning.
      - M(dockerhost.azure.docker_vm_image_info) finds images.
    type: raw
  plan:
    description:
      - The plan under which the image is sold, for marketplace images that have one. A plan that differs from the
        image's is an error, as is a plan for an image without one.
      - V(rocky-9) and V(rocky-10) contain their plan. Its terms must be accepted once in each subscription.
    type: dict
    suboptions:
      name:
        description:
          - The plan's name.
        type: str
        required: true
      product:
        description:
          - The product, which is the image's offer.
        type: str
        required: true
      publisher:
        description:
          - The publisher.
        type: str
        required: true
      promotion_code:
        description:
          - A promotion code.
        type: str
  admin_username:
    description:
      - The administrator's name on the host. Defaults to V(azureuser) for a new host.
    type: str
  admin_password:
    description:
      - The administrator's password, which then also works over SSH. 12 to 72 characters from at least three of these
        groups - lower case, upper case, digits, special characters.
      - It is used for a new host only. Azure never returns a password, so a different one goes unnoticed; a password
        for a host that has only keys is an error.
    type: str
  ssh_public_keys:
    description:
      - Public keys (C(ssh-rsa) of at least 2048 bits, or C(ssh-ed25519)) that may sign in as the administrator, or
        paths of files with one key each. One entry may contain several keys, one per line.
      - Without keys and without O(admin_password) a pair is generated, see O(ssh_private_key_path).
    type: list
    elements: str
  ssh_private_key_path:
    description:
      - The file of the private key, if neither O(ssh_public_keys) nor O(admin_password) is set. If it does not exist,
        an Ed25519 key pair is generated for a new host; an existing file is used and never overwritten.
      - Defaults to C(~/.ssh/docker_host_ed25519).
      - AWX discards the home directory of a job, and a new key with it. There, O(ssh_public_keys) must be set if
        O(ssh_allowed_sources) opens SSH; otherwise the module warns.
    type: path
  ssh_password_enabled:
    description:
      - Whether O(admin_password) can be used to sign in. Defaults to V(true) if a password is given.
    type: bool
  zone:
    description:
      - The availability zone, V(1), V(2) or V(3).
    type: str
  availability_set:
    description:
      - An availability set in the host's group, by name, C(group:name), or id. Not together with O(zone) or
        O(priority=Spot).
    type: str
  proximity_placement_group:
    description:
      - A proximity placement group, by name in the host's group, C(group:name), or id. Changing it deallocates a
        running host for a while, which O(allow_stop) must allow.
    type: str
  priority:
    description:
      - V(Spot) for a virtual machine at a lower price that Azure may evict.
    type: str
    choices: [Regular, Spot]
  eviction_policy:
    description:
      - What happens to a spot virtual machine that Azure evicts. Defaults to V(Deallocate), or to V(Delete) with
        O(ephemeral_os_disk=true).
    type: str
    choices: [Deallocate, Delete]
  max_price:
    description:
      - The highest price of a spot virtual machine, in US dollars per hour, with up to five decimals; V(-1) for up to
        the usual price. Changing it deallocates a running host for a while, which O(allow_stop) must allow.
    type: float
  license_type:
    description:
      - Your own license, such as V(RHEL_BYOS) or V(SLES_BYOS); V(None) removes it.
    type: str
  boot_diagnostics:
    description:
      - Whether Azure keeps the console's output. Defaults to V(true) for a new host.
    type: bool
  custom_data:
    description:
      - Custom data of a new host, as cloud-init reads it; not encoded. It cannot be changed later.
      - Azure never returns it. A salted digest of it is a tag of the virtual machine, so a later run with other
        custom data is an error; for a host without that tag, the module warns that it cannot compare the data.
      - What O(engine.at_boot) and O(ssh_port) add to the custom data does not count in this comparison. With either of
        them, O(custom_data) must start as one of the formats of cloud-init, such as C(#cloud-config) or C(#!).
    type: str
  user_data:
    description:
      - User data, which programs on the host can read; not encoded.
    type: str
  engine:
    description:
      - The engine that a new host installs at its first boot, see O(engine.at_boot). Without this option, nothing is
        installed, and an existing host stays as it is. The role always sets it.
    type: dict
  setup_program:
    description:
      - The program that installs the engine at the first boot. The action of this module sets it.
    type: str
  vm_identity:
    description:
      - The identities of the host.
    type: dict
    suboptions:
      type:
        description:
          - The kinds of identity.
        type: str
        required: true
        choices: ['None', SystemAssigned, UserAssigned, 'SystemAssigned, UserAssigned']
      user_assigned_identities:
        description:
          - Its user-assigned identities, by name in the host's group, C(group:name), or id.
        type: list
        elements: str
  security_profile:
    description:
      - How the host is secured. By default a new host has Trusted Launch where image and size allow it.
    type: dict
    suboptions:
      security_type:
        description:
          - The security type. An existing host of the second generation can be given Trusted Launch, which
            deallocates it for a while; no other change is possible.
        type: str
        choices: [Standard, TrustedLaunch]
      secure_boot_enabled:
        description:
          - Whether only signed boot components are run, with Trusted Launch. Defaults to V(true) for a new host.
          - V(true) without Trusted Launch is an error.
          - Changing it restarts a running host, which O(allow_stop) must allow.
        type: bool
      v_tpm_enabled:
        description:
          - Whether the host has a virtual TPM, with Trusted Launch. Defaults to V(true) for a new host.
          - V(true) without Trusted Launch is an error.
          - Changing it restarts a running host, which O(allow_stop) must allow.
        type: bool
      encryption_at_host:
        description:
          - Whether disks and caches are encrypted on the machine that the host runs on. The subscription must have
            the feature registered.
          - Changing it deallocates a running host for a while, which O(allow_stop) must allow.
        type: bool
  managed_disk_type:
    description:
      - The type of the OS disk. Defaults to V(StandardSSD_LRS) for a new host.
      - It can be changed to a type of the same redundancy, which deallocates a running host for a while; O(allow_stop)
        must allow that.
    type: str
    choices: [Premium_LRS, Premium_ZRS, StandardSSD_LRS, StandardSSD_ZRS, Standard_LRS]
  os_disk_size_gb:
    description:
      - The size of the OS disk in GiB, up to 4095. Defaults to the image's size, and cannot be smaller. It can grow,
        which stops a running host.
    type: int
  ephemeral_os_disk:
    description:
      - Put the OS disk on the machine that the host runs on. It is lost whenever the host is moved; such a host
        cannot be deallocated, resized, or have a zone-redundant O(managed_disk_type).
    type: bool
  auto_shutdown:
    description:
      - When Azure deallocates the host each day. Azure does not start it again.
      - This is the auto-shutdown of the Azure portal, a schedule of Azure DevTest Labs with the name
        C(shutdown-computevm-NAME) in the host's group. It is deleted with the host.
      - An existing host keeps its schedule if this option is left out.
    type: dict
    suboptions:
      enabled:
        description:
          - Whether the host has such a schedule. V(false) deletes it.
        type: bool
        default: true
      time:
        description:
          - The time of day, C(HH:MM) from V(00:00) to V(23:59), as text in quotes. Required unless
            O(auto_shutdown.enabled=false).
        type: raw
      time_zone:
        description:
          - The time zone by the name that Windows gives it, for example V(W. Europe Standard Time). Defaults to V(UTC)
            for a new schedule.
        type: str
      notification_email:
        description:
          - The e-mail address that Azure notifies before the shutdown. The message has links that delay or skip it.
        type: str
      notification_webhook:
        description:
          - The C(https) URL to which Azure posts before the shutdown. It is secret, because such URLs contain a key.
        type: str
      notification_minutes:
        description:
          - How many minutes before the shutdown Azure notifies, V(15) to V(120). Defaults to V(30) for a new schedule.
        type: int
  data_disks:
    description:
      - Data disks. They are added and grown, never removed or shrunk.
      - Disks that were attached by other means do not change, unless O(adopt=true).
      - M(dockerhost.azure.docker_vm_extension) can put Docker's data on one of them.
    type: list
    elements: dict
    suboptions:
      lun:
        description:
          - The logical unit number, V(0) to V(63).
        type: int
        required: true
      disk_size_gb:
        description:
          - The size in GiB.
        type: int
        required: true
      managed_disk_type:
        description:
          - The type. Defaults to V(StandardSSD_LRS) for a new disk. It can be changed as O(managed_disk_type) can.
        type: str
        choices: [Premium_LRS, Premium_ZRS, StandardSSD_LRS, StandardSSD_ZRS, Standard_LRS]
      caching:
        description:
          - The caching. Defaults to V(None) for a new disk, the only value for a disk of more than 4095 GiB.
          - To change it, Azure detaches the disk for a moment, and a running host is deallocated meanwhile;
            O(allow_stop) must allow that.
        type: str
        choices: ['None', ReadOnly, ReadWrite]
  docker_port:
    description:
      - The port of the Docker engine. The security group allows it, and a tag of the virtual machine records it.
      - Defaults to V(4243) for a new host. An existing host keeps the port of its security rule
        C(docker-host-docker). If the tag names another port than the rule, the option must be set.
    type: int
  allowed_sources:
    description:
      - Sources that may connect to the Docker port - addresses and CIDRs that do not overlap, or one service tag.
      - Defaults to V(Internet) for a new host, because mutual TLS protects the port. An existing host keeps the sources
        of its rule C(docker-host-docker). An empty list closes the port, and V(default) as the only entry applies the
        default again.
      - V(me) is the IPv4 address of the machine that runs the task, as O(address_service) sees it; behind a proxy, that
        is the proxy's. It can be used in O(ssh_allowed_sources) and O(open_ports) as well.
      - One blank entry, as a survey sends it, does the same as leaving the option out, but never opens a port of an
        existing host whose security group is missing, and warns if it opens that of a new one.
    type: list
    elements: str
  address_service:
    description:
      - HTTPS service that returns the address of its client as plain text. It is used only for the source V(me) of
        O(allowed_sources), O(ssh_allowed_sources) or O(open_ports).
      - E(REQUESTS_CA_BUNDLE) and E(CURL_CA_BUNDLE) name further certificates to trust, and E(HTTPS_PROXY) a proxy.
    type: str
    default: https://api.ipify.org
  open_ports:
    description:
      - Further ports to open. Each is a port or range (V(80), V(8000-8010), V(53/udp)), or a dictionary with C(port)
        and, optionally, C(protocol) (V(tcp) or V(udp)) and C(allowed_sources) (V(Internet) if it is left out; an empty
        list lets nobody in).
      - It must not contain the docker port or O(ssh_port), not even in a range; O(allowed_sources) and
        O(ssh_allowed_sources) open those. No port may be opened twice.
      - Defaults to V([]) for a new host. An existing host keeps its open ports. An empty list closes them, as does
        V(default) as the only entry.
    type: list
    elements: raw
  ssh_port:
    description:
      - The port of SSH. For a port other than V(22), cloud-init configures sshd of a new host, and SELinux and
        firewalld if they are enabled; this cannot be changed later.
      - Defaults to V(22) for a new host. An existing host keeps its port.
    type: int
  ssh_allowed_sources:
    description:
      - Sources that may connect to SSH - addresses and CIDRs that do not overlap, or one service tag.
      - Defaults to V([]) for a new host, so that SSH is closed. An existing host keeps the sources of its rule
        C(docker-host-ssh), also with one blank entry. An empty list closes SSH, as does V(default) as the only entry.
    type: list
    elements: str
  address:
    description:
      - A DNS name or IP address at which clients reach the host, instead of the one that Azure gives it. It is used in
        RV(host.docker_host) and RV(host.ssh_url), and added to RV(host.dns_names) or RV(host.ip_addresses).
      - By default the DNS name of the public address, else the public address, else the private address.
    type: str
  dns_names:
    description:
      - Further DNS names of the host, for its certificate. They are added to RV(host.dns_names).
    type: list
    elements: str
    default: []
  ip_addresses:
    description:
      - Further IP addresses of the host, for its certificate. They are added to RV(host.ip_addresses).
    type: list
    elements: str
    default: []
  reset:
    description:
      - Options for which an existing host gets the default of a new one again, where none of their values means that.
        O(user_data), for example, is deleted, and Azure chooses O(private_ip_address) again.
      - What Azure cannot change in place is an error if the host does not have the default, as for any other value -
        O(admin_password), O(availability_set), O(custom_data), O(eviction_policy), O(network_interface), O(plan),
        O(ssh_public_keys) and O(zone).
      - O(security_profile) turns encryption at host off, and secure boot and vTPM of Trusted Launch on. The security
        type stays.
      - O(ssh_password_enabled) follows O(admin_password) by default, so a host always has that default.
    type: list
    elements: str
    default: []
    choices:
      - admin_password
      - availability_set
      - custom_data
      - enable_accelerated_networking
      - eviction_policy
      - max_price
      - network_interface
      - plan
      - private_ip_address
      - security_profile
      - ssh_password_enabled
      - ssh_public_keys
      - user_data
      - zone
  known_names:
    description:
      - Names that an earlier run added to an existing host. Where O(address), O(dns_names) or O(ip_addresses) is empty,
        the host keeps these. They have no effect if the virtual machine does not exist.
      - The role P(dockerhost.azure.docker_host#role) takes them from the record of
        M(dockerhost.azure.docker_tls_certs) in the certificate directory. Azure does not know them.
    type: dict
    suboptions:
      id:
        description: ID of the virtual machine that had the names. They have no effect on another one.
        type: str
        required: true
      address:
        description: The O(address) of that run.
        type: str
      dns_names:
        description: Its O(dns_names).
        type: list
        elements: str
      ip_addresses:
        description: Its O(ip_addresses).
        type: list
        elements: str
  assign_public_ip:
    description:
      - Whether the host has a public address. Without one, clients reach it at its private address.
      - Defaults to V(true) for a new host. An existing host stays without one, or keeps an address that
        O(public_ip_address) named, until this option is V(true) or O(dns_label) is set.
      - Subnets that this module creates have Azure's default outbound access, so that hosts without a public address
        can download packages. In a subnet of your own without it, such a host needs a NAT gateway or another way out;
        otherwise the result contains a warning.
    type: bool
  public_ip_address:
    description:
      - An existing public address to use, by name in the host's group, C(group:name), or id. It is not changed.
      - It must be an IPv4 address of the SKU Standard, and in O(zone) if both have one.
      - An existing host keeps the address that it has; with O(assign_public_ip=true) it gets its own one again.
    type: str
  assign_dns_label:
    description:
      - Whether the public address has a DNS name.
      - Defaults to V(true) for a new address. An address that was created without one stays without one until this
        option is V(true) or O(dns_label) is set.
    type: bool
  dns_label:
    description:
      - The first part of the DNS name, which must be unique in the region. For a new address it defaults to the
        host's name and a short hash of subscription, group and name; an address that has one keeps it by default.
      - V(default) gives the address of an existing host that default label again.
    type: str
  virtual_network:
    description:
      - An existing virtual network to use, by name in the host's group, C(group:name), or id. It is not changed.
      - Without one, the hosts of a group share the network C(docker-vnet), and an existing host stays in its network.
    type: str
  subnet_name:
    description:
      - The subnet. Defaults to C(docker) in the shared network; needed with O(virtual_network). A host can be moved
        to another subnet of its network; by default it stays in its subnet.
    type: str
  virtual_network_prefix:
    description:
      - The addresses of the shared network, in CIDR notation, if it must be created. Defaults to V(10.0.0.0/16). An
        existing network is not changed; other addresses are an error.
    type: str
  subnet_prefix:
    description:
      - The addresses of the subnet of the shared network, in CIDR notation, if it must be created. Defaults to the
        first free C(/24) of the network, or to the whole network if that is smaller.
    type: str
  security_group:
    description:
      - An existing network security group to use, by name in the host's group, C(group:name), or id. It does not
        change, so it must allow the docker port, and O(allowed_sources), O(ssh_allowed_sources) and O(open_ports)
        cannot be set with it.
      - The module warns if it allows nobody to connect to the docker port, or everybody.
      - An existing host keeps the group that its interface has. It gets its own one when O(allowed_sources),
        O(ssh_allowed_sources) or O(open_ports) are set.
    type: str
  network_interface:
    description:
      - An existing network interface to use, by name in the host's group, C(group:name), or id. It is not changed, so
        options for its properties (ports and sources, addresses, network) cannot be set with it.
      - An existing host keeps its interface, which Azure cannot exchange.
    type: str
  private_ip_address:
    description:
      - The host's private address. By default Azure chooses it.
    type: str
  enable_accelerated_networking:
    description:
      - Whether the network interface has accelerated networking, which the size must support.
      - By default a new interface has it if O(preflight) finds that size and image support it. An existing interface
        keeps what it has. If O(vm_size) changes to a size without it, it is turned off while the host is deallocated.
    type: bool
seealso:
  - module: dockerhost.azure.docker_vm_host_info
  - module: dockerhost.azure.docker_vm_image_info
  - module: dockerhost.azure.docker_vm_extension
"""

EXAMPLES = r"""
- name: A Docker host with all defaults
  dockerhost.azure.docker_vm_host:
    name: web1
    resource_group: docker
    location: westeurope
  register: created

- name: A host that only the office can reach, with SSH
  dockerhost.azure.docker_vm_host:
    name: build1
    resource_group: docker
    location: westeurope
    vm_size: Standard_D4s_v5
    image: debian-12
    allowed_sources: [203.0.113.0/24]
    ssh_allowed_sources: [203.0.113.0/24]
    ssh_public_keys: [~/.ssh/id_ed25519.pub]
    open_ports:
      - 80
      - port: 8000-8010
        allowed_sources: [198.51.100.7]
    data_disks:
      - lun: 0
        disk_size_gb: 256
    tags:
      team: build

- name: Create a private host in an existing network
  dockerhost.azure.docker_vm_host:
    name: db1
    resource_group: docker
    virtual_network: network-group:company-vnet
    subnet_name: containers
    assign_public_ip: false

- name: Deallocate it each evening, with a warning before
  dockerhost.azure.docker_vm_host:
    name: build1
    resource_group: docker
    auto_shutdown:
      time: "19:00"
      time_zone: W. Europe Standard Time
      notification_email: ops@example.com

- name: Deallocate it now
  dockerhost.azure.docker_vm_host:
    name: build1
    resource_group: docker
    state: deallocated

- name: Delete it and all resources that were created for it
  dockerhost.azure.docker_vm_host:
    name: build1
    resource_group: docker
    state: absent
"""

RETURN = r"""
host:
  description:
    - The host, as the other modules and the role use it; V(null) with O(state=absent).
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: web1
    resource_group:
      description: Its resource group.
      type: str
      sample: docker
    subscription_id:
      description: Its subscription.
      type: str
      sample: 00000000-0000-0000-0000-000000000000
    location:
      description: Its region.
      type: str
      sample: westeurope
    id:
      description: The virtual machine's id.
      type: str
    vm_size:
      description: Its size.
      type: str
      sample: Standard_B2als_v2
    power_state:
      description: Its power state, such as V(running), V(stopped) or V(deallocated).
      type: str
      sample: running
    fqdn:
      description: The DNS name of its public address, V(null) without one.
      type: str
      sample: web1-1a2b3c4d.westeurope.cloudapp.azure.com
    public_ip_address:
      description: Its public address, V(null) without one.
      type: str
      sample: 203.0.113.10
    private_ip_address:
      description: Its private address.
      type: str
      sample: 10.0.0.4
    dns_names:
      description:
        - All its DNS names, for its certificate - O(address), O(dns_names), and the name of its public address.
      type: list
      elements: str
    ip_addresses:
      description:
        - All its IP addresses, for its certificate - O(address), O(ip_addresses), and its public and private addresses.
      type: list
      elements: str
    extra_names:
      description:
        - Those that the user adds to the names in Azure - O(address), O(dns_names) and O(ip_addresses), as they were
          given or kept. V(null) if the task does not decide about them.
      type: dict
      sample: {address: null, dns_names: [docker.example.com], ip_addresses: []}
    docker_port:
      description: The port of the engine.
      type: int
      sample: 4243
    docker_host:
      description: The URL of its engine, as in the environment variable E(DOCKER_HOST).
      type: str
      sample: tcp://web1-1a2b3c4d.westeurope.cloudapp.azure.com:4243
    ssh_port:
      description: The port of SSH.
      type: int
      sample: 22
    ssh_url:
      description: The URL of its SSH server.
      type: str
      sample: ssh://azureuser@web1-1a2b3c4d.westeurope.cloudapp.azure.com:22
    admin_username:
      description: The administrator's name.
      type: str
      sample: azureuser
    tags:
      description: The virtual machine's tags.
      type: dict
    resources:
      description: Ids of the host's resources by kind.
      type: dict
    unknown:
      description:
        - In check mode, the keys whose values are not known yet. They are V(null); RV(host.dns_names) and
          RV(host.ip_addresses) are incomplete.
      type: list
      elements: str
actions:
  description:
    - One line for each change that the task made or, in check mode, would make.
  returned: always
  type: list
  elements: str
  sample: [create virtual machine web1]
changes:
  description:
    - RV(actions) in plain words, with old and new values; the same in check mode.
  returned: always
  type: list
  elements: str
  sample: ["Docker port 4243 -> 2376", "allow TCP 80 from Internet", "attach data disk 32 GiB (LUN 0)"]
allowed_sources:
  description:
    - The sources that may connect to the Docker port by the host's own security group.
  returned: when O(state) is V(present) or V(started), without O(security_group) and O(network_interface)
  type: list
  elements: str
  sample: [203.0.113.0/24]
ssh_allowed_sources:
  description:
    - The sources that may connect to the SSH port by the host's own security group.
  returned: when O(state) is V(present) or V(started), without O(security_group) and O(network_interface)
  type: list
  elements: str
  sample: []
open_ports:
  description:
    - The further ports that the host's own security group opens, in the form of O(open_ports).
  returned: when O(state) is V(present) or V(started), without O(security_group) and O(network_interface)
  type: list
  elements: dict
  contains:
    port:
      description: The port or range, with C(/udp) for UDP.
      returned: always
      type: str
      sample: "80"
    allowed_sources:
      description: The sources that may connect.
      returned: always
      type: list
      elements: str
      sample: [Internet]
widened_access:
  description:
    - One sentence for each port of an existing host that more sources can reach after the run than before, whatever the
      cause. Each is a warning too.
  returned: when O(state) is V(present) or V(started)
  type: list
  elements: str
  sample: []
timings:
  description:
    - Seconds by step, and in total.
  returned: always
  type: dict
ssh_private_key_path:
  description:
    - The file of the private key for signing in to a new host, when no key was given.
  returned: when a key is used or generated
  type: str
signed_in_with:
  description:
    - How the task signed in to Azure.
  returned: success
  type: str
  sample: service principal 00000000-0000-0000-0000-000000000000 by secret, from environment variables
azure_error:
  description:
    - Azure's answer when something failed - C(operation), C(resource), C(status), C(code), C(message),
      C(target),
      C(request_id) and C(advice).
  returned: when Azure refused something
  type: dict
exists:
  description:
    - Ids of the host's resources that exist after a failure.
  returned: when a change failed
  type: list
  elements: str
"""

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import run_as_module
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.task import BACKEND


def main() -> None:
    """Run the task as a module."""
    run_as_module(BACKEND)


if __name__ == "__main__":
    main()

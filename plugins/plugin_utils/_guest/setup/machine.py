# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine: its files, its programs, the log, and the changes made so far."""

import contextlib
import errno
import glob
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import time

from ....module_utils._extension.engine_rules import PASSWORD_IN_URL
from .paths import HOME, LOG, SOCKET


class Problem(Exception):  # noqa: N818  it ends a run, it is not always an error of this program
    """An end with a reason.

    :param detail: the tail of some program's output.
    :param output: that output as a whole.
    :param code: that program's exit code.
    """

    def __init__(self, text, detail="", output="", code=None):
        super().__init__(text)
        self.text = text
        self.detail = detail
        self.output = output
        self.code = code

    def __str__(self):
        return self.text


# The beginning of the names of files that are not complete: a killed run leaves one, perhaps with a key in it.
UNFINISHED = ".docker-host-unfinished-"


def without_waiting(path, flags):
    return os.open(path, flags | os.O_NONBLOCK)


class Machine:
    """The machine below ``root``: its files and programs, the log, and the changes made so far.

    Programs run only on the running system itself (``root`` is ``/``): ``alive`` tells.
    """

    def __init__(self, root="/", check=False):
        self.root = os.path.abspath(root)
        self.alive = self.root == "/"
        self.check = check
        self.stage = "facts"
        self.changes = []
        self.notes = []
        self.secrets = []
        self.cloud_init_ended = False
        self.environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "DOCKER_HOST": "unix://" + SOCKET,  # whatever context root has selected
            "LC_ALL": "C",
            "DEBIAN_FRONTEND": "noninteractive",
            "NEEDRESTART_MODE": "l",
            "APT_LISTCHANGES_FRONTEND": "none",
            "APT_LISTBUGS_FRONTEND": "none",
        }

    def path(self, path):
        return path if self.root == "/" else os.path.join(self.root, path.lstrip("/"))

    def log(self, text):
        """Append to the full log without any known secret. A log that cannot be written ends no run: a note says so."""
        if self.check:
            return
        line = "{} {}: {}\n".format(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), self.stage, self.redact(text))
        try:
            with open_log(self.path(LOG)) as log:
                log.write(line)
        except OSError as error:
            note = "the log {} could not be written: {}".format(LOG, error.strerror or error)
            if note not in self.notes:
                self.notes.append(note)

    def say(self, text):
        """Print a line of progress, as far as somebody can read it and the terminal's encoding has its characters."""
        with contextlib.suppress(OSError):
            encoding = getattr(sys.stdout, "encoding", None) or "ascii"
            print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)

    def redact(self, text):
        """Return a text without any known secret, and without passwords in URLs, such as those of foreign sources."""
        for secret in self.secrets:
            text = text.replace(secret, "********")
        return PASSWORD_IN_URL.sub("://********@", text)

    def tail(self, output, size=1200):
        """Return the end of a program's output without any known secret, also where the cut goes through one."""
        if isinstance(output, bytes):
            output = output.decode("utf-8", "replace")
        return tail(self.redact(output or ""), size)

    def change(self, text, act=None):
        """Report one change and, unless only checking, make it."""
        self.changes.append(text)
        self.log(text)
        if not self.check:
            self.say("{}: {}".format(self.stage, text))
            if act is not None:
                act()

    def read(self, path):
        """Return the file's bytes, None if it does not exist.

        :raises Problem: it cannot be read, for example a loop of links, or is a FIFO, for whose writer it would wait.
        """
        try:
            with open(self.path(path), "rb", opener=without_waiting) as file:
                if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode):
                    raise Problem("{} must be a regular file; remove it".format(path))
                return file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise Problem("{} cannot be read: {}".format(path, error.strerror or error)) from None

    def glob(self, pattern):
        """Return the files that match, by their paths on the machine."""
        skip = 0 if self.root == "/" else len(self.root)
        return sorted(name[skip:] for name in glob.glob(self.path(pattern)))

    def text(self, path):
        return (self.read(path) or b"").decode("utf-8", "replace")

    def differs(self, path, content, mode):
        """Return whether the file differs from what is desired; ``content`` None: it must not exist."""
        present = self.read(path)
        if content is None or present is None:
            return (content is None) != (present is None)
        return present != content or self.mode(path) != mode

    def sweep(self, folders):
        """Remove the incomplete files and directories that a killed run has left in those folders (patterns).

        Return whether there was one.
        """
        found = [self.path(name) for folder in folders for name in self.glob(folder + "/" + UNFINISHED + "*")]
        for place in found:
            with contextlib.suppress(OSError):
                (shutil.rmtree if os.path.isdir(place) and not os.path.islink(place) else os.unlink)(place)
        return bool(found)

    @contextlib.contextmanager
    def scratch(self):
        """Yield a directory for temporary files, which may contain secrets. The next run removes that of a killed one.

        :raises Problem: it cannot be created.
        """
        try:
            os.makedirs(self.path(HOME), mode=0o700, exist_ok=True)
            directory = tempfile.mkdtemp(prefix=UNFINISHED, dir=self.path(HOME))
        except OSError as error:
            raise Problem("{} cannot be written: {}".format(HOME, error.strerror or error)) from None
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def mode(self, path):
        """Return the file's permissions, 0644 if it does not exist."""
        try:
            return os.stat(self.path(path)).st_mode & 0o7777
        except (FileNotFoundError, NotADirectoryError):
            return 0o644

    def write(self, path, content, mode=0o644):
        """Put the file in place in one step: after a crash it is the old one or the new one. None removes it.

        What a link leads to is written or removed, and the link stays.

        :raises Problem: the file cannot be written.
        """
        try:
            if content is None:
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    os.unlink(self.target(path))
            else:
                self.replace(self.target(path), content, mode)
        except OSError as error:
            raise Problem("{} cannot be written: {}".format(path, error.strerror or error)) from None

    def obstacle(self, path):
        """Return the file or directory that nobody can change, not even root, so that the path cannot be written."""
        place = self.target(path)
        folder = os.path.dirname(place)
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        found = next((name for name in (place, folder) if os.path.exists(name) and not os.access(name, os.W_OK)), "")
        return found[len(self.root) :] if found and self.root != "/" else found

    @contextlib.contextmanager
    def noted(self, path, content=b""):
        """Leave a note on disk while something is done that a killed run must not leave half done."""
        self.write(path, content, 0o600)
        yield
        self.write(path, None)

    def target(self, path):
        """Return the file that a path leads to, through links on the running system only: they would leave a tree."""
        place = self.path(path)
        if not os.path.islink(place):
            return place
        if self.root != "/":
            raise Problem("{} is a link, which is followed only on the running system".format(path))
        return os.path.realpath(place)

    def replace(self, target, content, mode):
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=UNFINISHED, dir=os.path.dirname(target))
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
            os.rename(name, target)
        except BaseException:
            os.unlink(name)
            raise

    def run(self, argv, stdin=None, timeout=900, ok=(0,), errors=subprocess.STDOUT):
        """Run a program and return its output: both streams, unless ``errors`` says otherwise.

        :raises Problem: it is missing, takes too long, or ends with a code that is not in ``ok``
            (``ok`` None takes any).
        """
        if not self.alive:
            raise Problem("internal error: {} was to run outside the running system".format(argv[0]))
        self.log("$ " + " ".join(shlex.quote(word) for word in argv))
        try:
            done = subprocess.run(
                argv,
                input=stdin.encode() if stdin is not None else None,
                stdin=subprocess.DEVNULL if stdin is None else None,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self.environment,
                timeout=timeout,
                cwd="/",
                check=False,
            )
        except FileNotFoundError:
            raise Problem("the program {} is not installed".format(argv[0])) from None
        except subprocess.TimeoutExpired as error:
            raise Problem("{} took longer than {} s".format(argv[0], timeout), self.tail(error.output)) from None
        output = done.stdout.decode("utf-8", "replace")
        self.log("exit {}\n{}".format(done.returncode, output.rstrip()))
        if ok is not None and done.returncode not in ok:
            words = " ".join([word for word in argv if not word.startswith("-")][:3])
            text = "{} ended with exit code {}".format(words, done.returncode)
            raise Problem(text, self.tail(output), self.redact(output), done.returncode)
        return output

    def probe(self, argv):
        """Return whether a program is there and succeeds."""
        try:
            self.run(argv)
        except Problem:
            return False
        return True

    def has(self, program):
        return self.alive and shutil.which(program, path=self.environment["PATH"]) is not None


def open_log(path):
    """Open the log for appending, readable by root only.

    Others may write in /var/log (on Ubuntu the group syslog): what they put in the log's place is left alone.

    :raises OSError: the log cannot be opened, or there is a link or a file of somebody else in its place.
    """
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "it must be a regular file with one link that belongs to root")
        if stat.S_IMODE(found.st_mode) & 0o077:
            os.fchmod(handle, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8", errors="replace")
    except BaseException:
        os.close(handle)
        raise


def tail(output, size=1200):
    """Return the end of a text, at most ``size`` characters of it."""
    text = (output or "").strip()
    return text if len(text) <= size else "..." + text[-size:]

// Copyright (c) 2026, The dockerhost.azure authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Validates recorded exchanges against Microsoft's specifications, with Microsoft's validator.
//
//   HOME=SCRATCH NODE_PATH=DIR/node_modules node validate.js SPECIFICATIONS TRAFFIC...
//
// TRAFFIC is JSON lines as `azure-emulator --record-traffic` writes them. What was answered with success must have been
// a valid request; every answer must be valid. The last line is JSON: {"validated", "failed", "unspecified", "operations"}.
"use strict";

const fs = require("fs");
const { LiveValidator } = require("oav/dist/lib/liveValidation/liveValidator");

// Operation URLs are opaque to clients, and no specification describes them.
const OPAQUE = /\/(operations|operationresults|operationstatuses|diskoperations)\/[^/]+$/i;

function exchanges(files) {
  const lines = files.flatMap((file) => fs.readFileSync(file, "utf8").split("\n"));
  return lines.filter((line) => line.trim()).map((line) => JSON.parse(line));
}

function pair(exchange) {
  return {
    liveRequest: {
      method: exchange.method,
      url: "https://management.azure.com" + exchange.url,
      headers: exchange.requestHeaders,
      body: exchange.requestBody === null ? undefined : exchange.requestBody,
    },
    liveResponse: {
      statusCode: String(exchange.status),
      headers: exchange.responseHeaders,
      body: exchange.responseBody === null ? undefined : exchange.responseBody,
    },
  };
}

// The resource providers' own records, for which the validator looks among the providers' specifications.
const RECORDS_OF_PROVIDERS = /^\/subscriptions\/[^/]+\/providers\/[^/]+(\/register)?$/i;

// Some operations' specifications know no error answers: then the form that all of them have is what counts.
function commonError(exchange) {
  const error = (exchange.responseBody || {}).error || {};
  const bare = exchange.method === "HEAD" && exchange.responseBody === null;
  return exchange.status >= 400 && (bare || (typeof error.code === "string" && typeof error.message === "string"));
}

// What Azure answers, as recorded, although its specification does not name it.
const BEYOND = /^\/properties\/(replicaCount|osDiskImage\/sizeIn(Bytes|Gb))$/;

function isBeyond(error) {
  const paths = error.pathsInPayload || [];
  return error.code === "OBJECT_ADDITIONAL_PROPERTIES" && paths.length > 0 && paths.every((path) => BEYOND.test(path));
}

// An api-version (or a path) of which there is no specification at hand.
function unspecified(result) {
  const found = result.runtimeException || result.requestValidationResult.runtimeException || {};
  return /^OPERATION_NOT_FOUND/.test(found.code || "") ? found : undefined;
}

function problems(exchange, result) {
  const found = [];
  const accepted = exchange.status < 300;
  const sides = [["answer", result.responseValidationResult]];
  if (accepted) sides.unshift(["request", result.requestValidationResult]);
  for (const [side, validation] of sides) {
    if (validation.runtimeException) found.push(`${side}: ${validation.runtimeException.message}`);
    for (const error of validation.errors || []) {
      if (error.code === "INVALID_RESPONSE_CODE" && commonError(exchange)) continue;
      if (side === "answer" && isBeyond(error)) continue;
      found.push(`${side}: ${error.code} ${(error.pathsInPayload || []).join(" ")} ${error.message}`);
    }
  }
  return found;
}

async function main() {
  const [root, ...files] = process.argv.slice(2);
  const validator = new LiveValidator({
    fileRoot: root,
    directory: root,
    git: { shouldClone: false },
    swaggerPathsPattern: ["specification/**/resource-manager/**/*.json"],
    excludedSwaggerPathsPattern: ["**/examples/**"],
    isPathCaseSensitive: false,
  }, () => undefined);
  await validator.initialize();
  const summary = { validated: 0, failed: 0, unspecified: 0, operations: {} };
  for (const exchange of exchanges(files)) {
    const path = exchange.url.split("?")[0];
    if (OPAQUE.test(path) || RECORDS_OF_PROVIDERS.test(path)) continue;
    const result = await validator.validateLiveRequestResponse(pair(exchange));
    const missing = unspecified(result);
    if (missing) {
      summary.unspecified += 1;
      console.log(`UNSPECIFIED ${exchange.method} ${exchange.url} ${exchange.status}: ${missing.code}`);
      continue;
    }
    const id = result.requestValidationResult.operationInfo.operationId;
    summary.validated += 1;
    summary.operations[id] = (summary.operations[id] || 0) + 1;
    const found = problems(exchange, result);
    if (found.length) {
      summary.failed += 1;
      console.log(`FAILED ${exchange.method} ${exchange.url} ${exchange.status} (${id})`);
      for (const line of found) console.log(`    ${line}`);
    }
  }
  console.log(JSON.stringify(summary));
}

main().then(
  // What a slow reader of the pipe has not taken yet would be lost at once by exit().
  () => process.stdout.write("", () => process.exit(0)),
  (error) => {
    console.error(error.stack || String(error));
    process.exit(2);
  }
);

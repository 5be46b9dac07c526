// Makes a call with the JavaScript SDK for each line of JSON on standard input and prints the result as JSON:
//   {operation, request}         the response
//   {operation, request, size}   the pages of the SDK's paginator
//   {operation, request, error}  whether the call fails with this error class
import { createInterface } from "node:readline";
import * as sdk from "@aws-sdk/client-rekognition";

const client = new sdk.RekognitionClient({});

function send({ operation, request }) {
  const command = sdk[`${operation}Command`];
  const { Changes: changes } = request;
  if (changes === undefined) return client.send(new command(request));
  const GroundTruth = new TextEncoder().encode(changes.GroundTruth);
  return client.send(new command({ ...request, Changes: { GroundTruth } }));
}

async function listPages({ operation, request, size }) {
  const pages = [];
  for await (const page of sdk[`paginate${operation}`]({ client, pageSize: size }, request)) {
    pages.push(page);
  }
  return pages;
}

async function isRefused(call) {
  try {
    await send(call);
    return false;
  } catch (error) {
    if (error instanceof sdk[call.error]) return true;
    throw error;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  const result = await ("size" in call ? listPages : "error" in call ? isRefused : send)(call);
  console.log(JSON.stringify(result));
}

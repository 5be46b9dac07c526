// The JavaScript SDK, one call for each line of JSON on standard input:
//   {operation, request}         the answer
//   {operation, request, size}   the pages of the SDK's paginator
//   {operation, request, error}  whether the call is refused with this class of error
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

async function pages({ operation, request, size }) {
  const found = [];
  for await (const page of sdk[`paginate${operation}`]({ client, pageSize: size }, request)) {
    found.push(page);
  }
  return found;
}

async function refused(call) {
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
  const answer = await ("size" in call ? pages : "error" in call ? refused : send)(call);
  console.log(JSON.stringify(answer));
}

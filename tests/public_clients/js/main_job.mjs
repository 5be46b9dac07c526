// The main job with the JavaScript SDK. Arguments: project, bucket, key, the client's configuration as JSON.
// Prints the entries of both datasets as JSON.
import {
  CreateDatasetCommand,
  CreateProjectCommand,
  DescribeDatasetCommand,
  DistributeDatasetEntriesCommand,
  RekognitionClient,
  paginateListDatasetEntries,
} from "@aws-sdk/client-rekognition";

const [project, bucket, key, configuration] = process.argv.slice(2);
const client = new RekognitionClient(JSON.parse(configuration));

async function waitForDataset(arn) {
  for (;;) {
    const { DatasetDescription: dataset } = await client.send(
      new DescribeDatasetCommand({ DatasetArn: arn }),
    );
    const { Status: status, StatusMessage: message } = dataset;
    if (status.endsWith("COMPLETE")) return;
    if (status.endsWith("FAILED")) throw new Error(`${status}: ${message}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function listEntries(arn) {
  const entries = [];
  for await (const page of paginateListDatasetEntries({ client }, { DatasetArn: arn })) {
    entries.push(...page.DatasetEntries);
  }
  return entries;
}

const { ProjectArn } = await client.send(new CreateProjectCommand({ ProjectName: project }));
const { DatasetArn: train } = await client.send(
  new CreateDatasetCommand({
    ProjectArn,
    DatasetType: "TRAIN",
    DatasetSource: { GroundTruthManifest: { S3Object: { Bucket: bucket, Name: key } } },
  }),
);
const { DatasetArn: test } = await client.send(
  new CreateDatasetCommand({ ProjectArn, DatasetType: "TEST" }),
);
await waitForDataset(train);
await client.send(
  new DistributeDatasetEntriesCommand({ Datasets: [{ Arn: train }, { Arn: test }] }),
);
await waitForDataset(train);
await waitForDataset(test);
console.log(JSON.stringify({ train: await listEntries(train), test: await listEntries(test) }));

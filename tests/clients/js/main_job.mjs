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

async function settled(arn) {
  for (;;) {
    const { DatasetDescription: found } = await client.send(
      new DescribeDatasetCommand({ DatasetArn: arn }),
    );
    if (found.Status.endsWith("COMPLETE")) return;
    if (found.Status.endsWith("FAILED")) throw new Error(`${found.Status}: ${found.StatusMessage}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function entries(arn) {
  const found = [];
  for await (const page of paginateListDatasetEntries({ client }, { DatasetArn: arn })) {
    found.push(...page.DatasetEntries);
  }
  return found;
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
await settled(train);
await client.send(
  new DistributeDatasetEntriesCommand({ Datasets: [{ Arn: train }, { Arn: test }] }),
);
await settled(train);
await settled(test);
console.log(JSON.stringify({ train: await entries(train), test: await entries(test) }));

// Huawei Cloud's SDK for Node, as npm has it: do its credentials find project and account by themselves, and
// is what it signs accepted? Its package for API Gateway is not on npm, so that the gateway is called through
// the core that all of its packages share.

const fs = require("node:fs");
const path = require("node:path");
const modules = process.argv[3];
const load = (name) => require(path.join(modules, "@huaweicloud", name));

const core = load("huaweicloud-sdk-core");
const { ClientBuilder } = load("huaweicloud-sdk-core/ClientBuilder");
// The main file of this version names a module that it lacks.
const iam = load("huaweicloud-sdk-iam/v3/public-api");

const described = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const { ak, sk, instance_id: instance, project_id: project, region } = described.accounts.huawei;
const address = described.endpoints.iam.replace(/\/v3$/, "");

let failed = 0;
let passed = 0;
async function check(name, run) {
  try {
    await run();
    passed += 1;
  } catch (error) {
    failed += 1;
    console.error(`interop: node ${name}: ${error.message ?? JSON.stringify(error)}`);
  }
}

function equal(got, wanted, what) {
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`);
}

async function main() {
  await check("the account, found by the keys", async () => {
    const credentials = new core.GlobalCredentials().withAk(ak).withSk(sk).withIamEndpoint(address);
    const client = iam.IamClient.newBuilder().withCredential(credentials).withEndpoint(address).build();
    const answer = await client.keystoneListAuthDomains(new iam.KeystoneListAuthDomainsRequest());
    equal(answer.domains.length, 1, "accounts");
  });
  await check("the project, found by the region's name", async () => {
    const credentials = new core.BasicCredentials().withAk(ak).withSk(sk).withIamEndpoint(address);
    const client = new ClientBuilder((hc) => hc, "BasicCredentials")
      .withCredential(credentials)
      .withRegion(new core.Region(region, described.endpoints.apig))
      .build();
    const request = (method, data) => ({
      url: "/v2/{project_id}/apigw/instances/{instance_id}/envs",
      method,
      contentType: "application/json",
      queryParams: {},
      pathParams: { instance_id: instance },
      headers: {},
      data,
    });
    const made = await client.sendRequest(request("POST", { name: "node", remark: "Été ~*'()" }));
    equal(made.remark, "Été ~*'()", "remark");
    const listed = await client.sendRequest(request("GET", {}));
    equal(listed.envs.some((one) => one.id === made.id), true, "listed");
    equal(credentials.projectId ?? project, project, "project");
  });
  console.log(`interop: node: ${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

main();

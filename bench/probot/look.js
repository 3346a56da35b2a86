// What a plain Probot app does about a pull request that moved: it reads POC.md at its head, and posts a
// check run. All is as `run` makes it, but for the address of the API, and with PACE=off for the pace of writes.
import Bottleneck from "bottleneck";
import { ProbotOctokit, run } from "probot";

const CHECKS = ["POC charter"];

const app = (probot) => {
  probot.on(["pull_request.opened", "pull_request.synchronize"], async (context) => {
    const head_sha = context.payload.pull_request.head.sha;
    const { data } = await context.octokit.rest.repos.getContent(
      context.repo({ path: "POC.md", ref: head_sha }),
    );
    const charter = Buffer.from(data.content, "base64").toString("utf8");
    const complete = /^poc: 1$/m.test(charter) && /^owner: \S+$/m.test(charter);
    for (const name of CHECKS) {
      await context.octokit.rest.checks.create(
        context.repo({
          name,
          head_sha,
          status: "completed",
          conclusion: complete ? "success" : "failure",
          completed_at: new Date().toISOString(),
          output: {
            title: complete ? "Charter complete" : "Charter not complete",
            summary: `\`POC.md\` at ${head_sha} says:\n\n${charter}`,
          },
        }),
      );
    }
  });
};

// Octokit's throttle lets one write a second pass. Its machinery stays; only what it waits for goes.
const unpaced = { write: new Bottleneck.Group({ id: "octokit-write", maxConcurrent: 10, timeout: 120_000 }) };

const Octokit = ProbotOctokit.defaults((options) => ({
  ...options,
  baseUrl: process.env.API_URL,
  throttle: { ...options.throttle, ...(process.env.PACE === "off" ? unpaced : {}) },
}));

await run(app, { Octokit });

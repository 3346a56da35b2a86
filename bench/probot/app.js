// The least that a Probot app can be: its defaults, and handlers that do nothing.
import { run } from "probot";

await run((app) => {
  app.on(["pull_request", "push", "issues", "issue_comment", "repository"], async () => {});
});

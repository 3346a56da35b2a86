// The least that a Probot app can be: its defaults, and a handler that does nothing.
import { run } from "probot";

await run((app) => {
  app.on("pull_request", async () => {});
});

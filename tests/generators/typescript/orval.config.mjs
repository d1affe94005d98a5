export default {
  api: {
    input: process.env.INPUT,
    output: { target: "made/api.ts", client: "fetch", headers: true, mode: "single" },
  },
};

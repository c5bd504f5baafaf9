// The provider's own Node client sends through a network at argv[2]; prints answer or error.
const common = require("africastalking/lib/common");
const sdk = require("africastalking")({ username: "sandbox", apiKey: "k" });

common.SMS_URL = `${process.argv[2]}/version1/messaging`;
sdk.SMS.send(JSON.parse(process.argv[3]))
  .then((answer) => console.log(JSON.stringify({ answer })))
  .catch((error) => console.log(JSON.stringify({ error: String(error.message || error) })));

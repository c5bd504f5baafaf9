// Two strangers' USSD servers on one port: /menu (ussd-menu-builder), /handler (the provider's own).
const http = require("http");
const UssdMenu = require("ussd-menu-builder");
const handler = require("africastalking")({ username: "sandbox", apiKey: "k" }).USSD;

const menu = new UssdMenu();
menu.startState({ run: () => menu.con("Welcome\n1. Crop\n2. Leave"), next: { 1: "crop", 2: "leave" } });
menu.state("crop", { run: () => menu.con("Which crop?"), next: { "*[a-zA-Z& ]+": "named" } });
menu.state("named", { run: () => menu.end(`${menu.val} of ${menu.args.phoneNumber}`) });
menu.state("leave", { run: () => menu.end("Bye") });

const hops = handler((params, next) => {
  const typed = params.text;
  next({ response: typed === "" ? "Say a word" : `heard ${typed}`, endSession: typed.split("*").length > 1 });
});

function body(request) {
  return new Promise((resolve) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk)).on("end", () => resolve(text));
  });
}

http.createServer(async (request, response) => {
  if (request.url === "/menu/ussd") {
    const form = Object.fromEntries(new URLSearchParams(await body(request)));
    return menu.run(form, (screen) => response.end(screen));
  }
  if (request.url !== "/handler/ussd") return response.end("ok");
  response.contentType = (type) => response.setHeader("Content-Type", type);
  response.status = (code) => { response.statusCode = code; return response; };
  response.send = (text) => response.end(text);
  const [parse, answer] = hops;
  return parse(request, response, () => answer(request, response, (error) => response.end(String(error))));
}).listen(0, "127.0.0.1", function () { console.log(this.address().port); });

"""An IMAP server that writes down how somebody logs in, and refuses it with a word that names them."""
import base64
import socketserver


class Server(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        self.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready")
        for line in self.rfile:
            tag, verb, *rest = line.decode().split()
            if verb.upper() == "AUTHENTICATE":
                if len(rest) < 2:
                    self.say("+ ")
                    rest.append(self.rfile.readline().decode().strip())
                with open("/run/logins", "a") as logins:
                    logins.write(repr(base64.b64decode(rest[1])) + "\n")
                self.say(f"{tag} NO [AUTHENTICATIONFAILED] there is no alex@example.org here")
            else:
                self.say("* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN")
                self.say(f"{tag} OK done")


socketserver.ThreadingTCPServer.allow_reuse_address = True
with socketserver.ThreadingTCPServer(("127.0.0.1", 1143), Server) as server:
    open("/run/imap.ready", "w").close()
    server.serve_forever()

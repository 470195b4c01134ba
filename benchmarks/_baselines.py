"""What a user would pick instead, as programs of their own: smtp-source, Go, nodemailer, smtplib, django-post_office.

What is not there is installed into a folder that goes away again: nodemailer with npm, django-post_office with uv into
an environment of its own; Go is used where it is installed. Where that cannot be (no registry), the row is left out and
the table says so.
"""

from __future__ import annotations

import os
import shutil
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.fakes.process import find

CONNECTIONS = 10
TOKEN = b"rcptXXXXXXXX"
SENDER = "news@seller.example"
NODEMAILER_PIN, DJANGO_PINS = "nodemailer@7.0.11", ("django==5.2.*", "django-post-office==3.9.*")
#: Seconds that an installation may take.
PATIENCE = 180


def send_smtp_source(port: int, messages: int, mail: bytes) -> float:
    """Postfix's load generator, the practical limit: C, no state, one message over and over."""
    command = [str(find("smtp-source")), "-d", "-s", str(CONNECTIONS), "-l", str(len(mail)), "-m", str(messages)]
    started = time.perf_counter()
    subprocess.run([*command, "-f", SENDER, "-t", "b@x.example", f"127.0.0.1:{port}"], check=True)
    return time.perf_counter() - started


def send_smtplib(port: int, messages: int, mail: bytes) -> float:
    """The standard library in as many threads."""
    parts = mail.split(TOKEN)

    def work(first: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as server:
            for number in range(first, messages, CONNECTIONS):
                name = b"rcpt%08d" % number
                server.sendmail(SENDER, name.decode() + "@x.example", name.join(parts))

    started = time.perf_counter()
    threads = [threading.Thread(target=work, args=(n,)) for n in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


# -- nodemailer -------------------------------------------------------------------------------------------------------

NODEMAILER = """
const nodemailer = require('nodemailer'), fs = require('fs');
const [port, messages, connections, file] = [+process.argv[2], +process.argv[3], +process.argv[4], process.argv[5]];
const parts = fs.readFileSync(file, 'latin1').split('rcptXXXXXXXX').map(s => Buffer.from(s, 'latin1'));
const pool = nodemailer.createTransport({host: '127.0.0.1', port, pool: true, maxConnections: connections,
  maxMessages: Infinity, secure: false, ignoreTLS: true});
let sent = 0, done = 0;
const started = process.hrtime.bigint();
function raw(name) { const out = []; parts.forEach((p, n) => { if (n) out.push(name); out.push(p); });
  return Buffer.concat(out); }
function next() {
  if (sent >= messages) return;
  const name = 'rcpt' + String(sent++).padStart(8, '0');
  pool.sendMail({envelope: {from: 'news@seller.example', to: name + '@x.example'}, raw: raw(Buffer.from(name))}, e => {
    if (e) { console.error(e); process.exit(1); }
    if (++done === messages) { console.log(Number(process.hrtime.bigint() - started) / 1e9); pool.close(); }
    else next();
  });
}
for (let n = 0; n < 2 * connections; n++) next();
"""


def install_nodemailer(stack: ExitStack) -> bool:
    """Put nodemailer into a folder; False where there is no npm or no registry."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    (Path(folder) / "pool.js").write_text(NODEMAILER)
    os.environ["BENCH_NODEMAILER"] = folder
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    return _installed(["npm", "install", "--silent", "--no-audit", "--no-fund", NODEMAILER_PIN], folder)


def send_nodemailer(port: int, messages: int, mail: bytes) -> float:
    """nodemailer's pool with prebuilt bytes."""
    folder = Path(os.environ["BENCH_NODEMAILER"])
    (folder / "message.eml").write_bytes(mail)
    command = ["node", "pool.js", str(port), str(messages), str(CONNECTIONS), "message.eml"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return float(done.stdout)


# -- Go ---------------------------------------------------------------------------------------------------------------

GO = """
package main

import (
	"bytes"
	"fmt"
	"net/smtp"
	"os"
	"strconv"
	"sync"
	"text/template"
	"time"
)

type Letter struct{ Name, Address string }

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func work(port string, text *template.Template, letters <-chan Letter, ended *sync.WaitGroup) {
	defer ended.Done()
	link, err := smtp.Dial("127.0.0.1:" + port)
	check(err)
	check(link.Hello("localhost"))
	for letter := range letters {
		var mail bytes.Buffer
		check(text.Execute(&mail, letter))
		check(link.Mail("news@seller.example"))
		check(link.Rcpt(letter.Address))
		body, err := link.Data()
		check(err)
		_, err = body.Write(mail.Bytes())
		check(err)
		check(body.Close())
	}
	check(link.Quit())
}

func main() {
	messages, _ := strconv.Atoi(os.Args[2])
	connections, _ := strconv.Atoi(os.Args[3])
	text := template.Must(template.ParseFiles("message.txt"))
	letters := make(chan Letter, connections)
	var ended sync.WaitGroup
	started := time.Now()
	for n := 0; n < connections; n++ {
		ended.Add(1)
		go work(os.Args[1], text, letters, &ended)
	}
	for n := 0; n < messages; n++ {
		name := fmt.Sprintf("rcpt%08d", n)
		letters <- Letter{name, name + "@x.example"}
	}
	close(letters)
	ended.Wait()
	fmt.Println(time.Since(started).Seconds())
}
"""


def install_go(stack: ExitStack) -> bool:
    """Compile the program; False where there is no Go."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    (Path(folder) / "main.go").write_text(GO)
    os.environ["BENCH_GO"] = folder
    return shutil.which("go") is not None and _installed(["go", "build", "-o", "sender", "main.go"], folder)


def send_go(port: int, messages: int, mail: bytes) -> float:
    """A template for each message and Go's own SMTP client in as many goroutines, each with a connection; no state."""
    folder = Path(os.environ["BENCH_GO"])
    (folder / "message.txt").write_bytes(mail.replace(TOKEN, b"{{.Name}}"))
    command = ["./sender", str(port), str(messages), str(CONNECTIONS)]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return float(done.stdout)


# -- django-post_office -----------------------------------------------------------------------------------------------

DJANGO = """
import sys, time, django
from django.conf import settings
port, messages, connections, folder = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
settings.configure(
    INSTALLED_APPS=["post_office"], USE_TZ=True, SECRET_KEY="x", DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder + "/po.db",
                           "OPTIONS": {"timeout": 60, "init_command": "PRAGMA journal_mode=WAL;"}}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": []}],
    EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, EMAIL_BACKEND="post_office.EmailBackend",
    POST_OFFICE={"BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"}, "BATCH_SIZE": 500,
                 "THREADS_PER_PROCESS": connections, "LOG_LEVEL": 1, "DEFAULT_PRIORITY": "medium"},
)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from post_office import mail
from post_office.mail import get_queued, send_queued
from post_office.models import EmailTemplate
body = open(folder + "/message.html").read()
words = dict(subject="Hello {{ name }}", content="Hello {{ name }}", html_content=body)
template = EmailTemplate.objects.create(name="t", **words)
started = time.perf_counter()
for first in range(0, messages, 500):
    mail.send_many([
        {"sender": "news@seller.example", "recipients": ["p%d@x.example" % n], "template": template,
         "context": {"name": "Anna %d" % n}}
        for n in range(first, min(first + 500, messages))
    ])
while get_queued().exists():
    send_queued(processes=1)
print(time.perf_counter() - started)
"""


def install_django(stack: ExitStack) -> bool:
    """Make an environment with django-post_office; False where there is no uv or no registry."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    os.environ["BENCH_DJANGO"] = folder
    (Path(folder) / "po.py").write_text(DJANGO)
    root = Path(__file__).resolve().parents[1]
    uv = next((str(path) for path in root.glob(".tools/uv-*/bin/uv")), shutil.which("uv"))
    if uv is None:
        return False
    made = _installed([uv, "venv", "--quiet", "--python", sys.executable, "env"], folder)
    return made and _installed([uv, "pip", "install", "--quiet", "--python", "env/bin/python", *DJANGO_PINS], folder)


def send_django(port: int, messages: int, mail: bytes) -> float:
    """django-post_office: render, queue in SQLite, send in threads, record."""
    folder = Path(os.environ["BENCH_DJANGO"])
    (folder / "po.db").unlink(missing_ok=True)
    body = "<p>Hello {{ name }}</p>" + "<p>An ordinary paragraph of a newsletter with a link.</p>\n" * (len(mail) // 80)
    (folder / "message.html").write_text(body)
    command = ["env/bin/python", "-W", "ignore", "po.py", str(port), str(messages), str(CONNECTIONS), "."]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return float(done.stdout.strip().splitlines()[-1])


def _installed(command: list[str], folder: str) -> bool:
    with suppress(subprocess.TimeoutExpired, OSError):
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=PATIENCE, check=False)
        return done.returncode == 0
    return False

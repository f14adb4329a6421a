"""Uploads one file with tuspy: upload.py '{"endpoint", "token", "path", "options"}' prints {"url"}.

With "stop_at" it stops there; with "url" it goes on with an upload that stopped.
"""

import importlib
import json
import sys

tusclient = importlib.import_module("tusclient.client")  # from build/clients: no package of Debian's

job = json.loads(sys.argv[1])
client = tusclient.TusClient(job["endpoint"], headers={"Authorization": f"Bearer {job['token']}"})
uploader = client.uploader(job["path"], retries=5, retry_delay=0.2, metadata={"filename": 'a "b" ü.bin'}, url=job.get("url"),
                           **job.get("options", {}))  # fmt: skip
uploader.upload(stop_at=job.get("stop_at"))
print(json.dumps({"url": uploader.url}))

"""A receiver in a process of its own: `listener.py ADDRESS HABIT`.

It does what the first example of the README does, and says each intent it was given. Habits:
`finish` resumes at once; `hang` never answers; `raise-once` fails on the first intent it sees, as
handlers do, and goes on.
"""

import sys
import time

from support import client, say


def main(address, habit):
    axme = client()
    has_raised = False
    for row in axme.listen(address):
        say(row)
        if habit == "hang":
            time.sleep(3600)
        try:
            if habit == "raise-once" and not has_raised:
                has_raised = True
                raise RuntimeError("a bug in the handler")
        except RuntimeError:
            continue
        axme.resume_intent(row["intent_id"], {"seen": row["payload"]}, owner_agent=row["to_agent"])


main(*sys.argv[1:])

"""Tenantry, as Azure Functions loads it: the app of its role (assembly.py), with its functions. No logic.

The map of the house (`shared/`), in the order in which a request travels:

    assembly.py   roles.py           all in one app, or front, worker and broker apart: what each registers
    api.py        */operations.py    what there is to ask, of whom: hosting.py registers it, document.py describes it
    onboarding/   triggers.py        who may, what they ask -> a run row (runs.py), 202
    running/      orchestrator.py    the order of the acts (acts.py); waits are durable timers (durable.py)
                  lifecycle.py       how a run begins and ends      sweeper.py  what was not started, or died
                  performing.py      how every act runs: fence, deadline, what each failure means
    onboarding/   *_activities.py    one act each: read, compare, write the difference, read back
    upkeep/                          analysts who come and go, other wishes, the nightly look
    subscriptions/                   what is declared on a managed subscription; its record and table
    lockdown/                        a subscription's roles need an approval: a run makes it so, a night looks at it
    renewal/                         eligibilities are extended before they end: due.py (pure) says which; kinds.py says
                                     what it asks of tenants.py and of subscriptions.py
    activation/   *_triggers.py      a locked role is asked for, with a plan that is priced: submitting.py; decide.py decides
                  watching.py        whatever waits at PIM has a row and a run; look_activities.py follows it
                  brokering.py       off unless deployed: our own approval (quorum.py); granting.py makes it so for a time,
                                     in an app of its own by serving.py
                  pricing.py         what a plan costs (plan.py, meters.py, cost.py), and what money says of it (policy.py)
    approvals/                       the pages where approvers decide: signing_in.py (Entra, there and back), triggers.py,
                                     deciding.py; a person's token is spent at once: on_behalf.py, arm/as_person.py
    notify/                          alarms go out: outbox.py keeps them, courier.py delivers them every minute
    offboarding/                     a tenant is let go: everybody leaves, what was there before is put back
    writes/                          the privileged writes, by kind, as the acts ask for them
    intents.py                       the only way to a privileged write: intent before, audit entry (settling.py) after
    graph/                           one vendor call each; permissions.py says which identity and permission
    arm/                             the same of Azure: azure_permissions.py; patience.py: how a call is tried

Decisions are pure modules beside them: desired, preflight, signin, proving, starting, consents, provisioned, restoring,
departing, views, checklist, states, decide, advice. Hunting queries: saved_queries.py.
Audit: chain.py (pure), audit.py (the table), auditing/ (the API and the verifier).
State: tenants/, subscriptions/ (partitions.py, through tables.py), ends.py. Composition: services.py.
Failures: errors.py draws the tree.
"""

import gc
import logging
import warnings

# Most of what the imports make stays for good. Looking through it for garbage again and again is a good part of a cold start.
gc.disable()

from shared.assembly import app_of
from shared.settings import read_role

# At info these log every request's address, where a filter may hold a mail address.
for _name in ("azure", "httpx", "kiota_http", "msal"):
    logging.getLogger(_name).setLevel(logging.WARNING)

# MSAL recommends that Entra's answer is posted. A form from elsewhere would come without our cookie, so it comes by GET; its
# code is good once, with what only our store knows (approvals/visits.py).
warnings.filterwarnings("ignore", message="response_mode=", category=UserWarning)

app = app_of(read_role())

# It is not looked through later either: a full collection is then of what requests made.
gc.freeze()
gc.enable()

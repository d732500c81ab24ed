//! What people are asked in the demonstration: one question of every type, with what each needs.

use serde_json::{Value, json};

use super::dice::Dice;
use super::goods::{Parcel, asked};

/// Makes a question of one type.
type Ask = fn(&Dice, u64) -> Parcel;

/// One of every type that refunds and deployments do not ask.
const ASKS: &[Ask] = &[
    review,
    question,
    manual_action,
    confirmation,
    assignment,
    overriding,
    form,
    triage,
];

/// One question of every type, due one after another.
pub(super) fn each(dice: &Dice) -> Vec<Parcel> {
    let dues = [40, 55, 75, 95, 120, 150, 190, 240];
    ASKS.iter()
        .zip(dues)
        .map(|(ask, due)| ask(dice, due))
        .collect()
}

/// A question of any type.
pub(super) fn any(dice: &Dice, remind_after: u64) -> Parcel {
    let last = u64::try_from(ASKS.len() - 1).unwrap_or(0);
    let at = usize::try_from(dice.between(0, last)).unwrap_or(0);
    ASKS.get(at).copied().unwrap_or(question)(dice, remind_after)
}

fn ask(
    kind: (&'static str, &'static str),
    payload: Value,
    task: &Value,
    remind_after: u64,
) -> Parcel {
    let (intent_type, to) = kind;
    asked(Parcel::new(intent_type, to, payload), task, remind_after)
}

fn review(dice: &Dice, remind_after: u64) -> Parcel {
    let version = dice.between(4, 9);
    let diff = format!(
        "--- a/templates/invoice-v{version}.hbs\n+++ b/templates/invoice-v{version}.hbs\n\
         @@ -12,7 +12,9 @@ <section class=\"sums\">\n   <tr><td>Net</td><td>{{{{net}}}}</td></tr>\n\
         -  <tr><td>VAT</td><td>{{{{vat}}}}</td></tr>\n\
         +  {{{{#each vat_lines}}}}\n+  <tr><td>VAT {{{{rate}}}} %</td><td>{{{{amount}}}}</td></tr>\n\
         +  {{{{/each}}}}\n   <tr><td>Total</td><td>{{{{total}}}}</td></tr>\n </table>\n\
         @@ -31,5 +33,5 @@ <footer>\n-<p>Payable within 30 days.</p>\n\
         +<p>Payable by {{{{due_date}}}}, late interest {{{{late_rate}}}} %.</p>\n <p>{{{{company}}}}</p>\n \
         </footer>\n"
    );
    let payload = json!({"template": format!("invoice-v{version}"), "author": "Priya Raghunathan", "diff": diff});
    let task = json!({
        "title": format!("Template change \"invoice-v{version}\""),
        "description": "VAT per rate, and the due date in words. Goes out with the next run of invoices.",
        "task_type": "review",
    });
    ask(
        ("intent.template.review.v1", "finance"),
        payload,
        &task,
        remind_after,
    )
}

fn question(dice: &Dice, remind_after: u64) -> Parcel {
    let order = dice.between(100_000, 999_999);
    let payload = json!({
        "question": format!("Which ledger account takes the refund of order ORD-{order}?"),
        "context": "It was paid by gift card; account 2420 was closed in May and nobody named another.",
        "choices": ["2421 gift cards", "3740 rounding differences", "ask the tax office first"],
        "amount": dice.between(20, 300), "currency": "EUR",
    });
    let task = json!({"title": format!("Which account for the refund of ORD-{order}?"), "task_type": "clarification"});
    ask(
        ("intent.ledger.clarify.v1", "finance"),
        payload,
        &task,
        remind_after,
    )
}

fn manual_action(dice: &Dice, remind_after: u64) -> Parcel {
    let serial = dice.between(1000, 9999);
    let payload = json!({
        "steps": [
            "announce the window in #payments",
            format!("rotate the key of HSM-{serial}"),
            "restart the signing service, one node at a time",
            "sign a test invoice and check its seal",
        ],
        "runbook": "RB-41",
    });
    let task = json!({
        "title": format!("Rotate the key of HSM-{serial}"),
        "description": "The old key is valid until midnight. Runbook RB-41 has the details of each step.",
        "task_type": "manual_action",
    });
    ask(
        ("intent.hsm.rotate.v1", "ops"),
        payload,
        &task,
        remind_after,
    )
}

fn confirmation(dice: &Dice, remind_after: u64) -> Parcel {
    let leases = dice.between(40, 400);
    let payload = json!({
        "consequence": format!("the intents of {leases} leases are offered again; a worker that still runs loses its result"),
        "leases": leases, "oldest": "3 h",
    });
    let task = json!({
        "title": format!("Delete {leases} expired leases of night-batch"),
        "task_type": "confirmation",
        "evidence_required": dice.percent(30),
    });
    ask(
        ("intent.leases.delete.v1", "ops"),
        payload,
        &task,
        remind_after,
    )
}

fn assignment(dice: &Dice, remind_after: u64) -> Parcel {
    let backlog = dice.between(30, 300);
    let payload = json!({"backlog": backlog, "oldest": "6 h", "queue": "legacy-crm"});
    let task = json!({
        "title": format!("Who looks after the backlog of legacy-crm ({backlog} intents)?"),
        "task_type": "assignment",
        "assignees": ["ops-lead", "ops", "finance"],
    });
    ask(
        ("intent.backlog.assign.v1", "ops"),
        payload,
        &task,
        remind_after,
    )
}

fn overriding(dice: &Dice, remind_after: u64) -> Parcel {
    let amount = dice.between(1_000, 4_000);
    let order = dice.between(100_000, 999_999);
    let payload = json!({
        "rule": "refund limit",
        "rule_text": "Refunds above €500 need two people; above €2,500 the head of finance.",
        "from": "€500", "to": format!("€{amount} once"),
        "touches": format!("order ORD-{order} alone; the limit itself stays"),
    });
    let task = json!({
        "title": format!("Refund €{amount} for ORD-{order} past the limit"),
        "task_type": "override",
    });
    ask(
        ("intent.refund.override.v1", "finance"),
        payload,
        &task,
        remind_after,
    )
}

fn form(dice: &Dice, remind_after: u64) -> Parcel {
    let shipment = format!("SH-{}", dice.between(1000, 9999));
    let payload =
        json!({"shipment": shipment, "to": "Bergen, Norway", "parcels": dice.between(1, 6)});
    let schema = json!({
        "type": "object",
        "required": ["vat_id", "weight_kg", "procedure", "insured"],
        "properties": {
            "vat_id": {"type": "string", "title": "VAT id", "pattern": "^[A-Z]{2}[0-9A-Z]{6,12}$", "description": "two letters, then digits: NO917203"},
            "weight_kg": {"type": "number", "title": "weight, kg", "minimum": 0.1, "maximum": 1200},
            "procedure": {"title": "procedure", "enum": ["export", "return", "repair"]},
            "insured": {"type": "boolean"},
            "pickup": {"type": "string", "format": "date"},
            "papers": {"type": "array", "items": {"enum": ["invoice", "CMR", "T1", "EUR.1"]}},
        },
    });
    let task = json!({
        "title": format!("Customs data of {shipment} is missing (6 fields)"),
        "task_type": "form",
        "form_schema": schema,
    });
    ask(
        ("intent.customs.form.v1", "ops"),
        payload,
        &task,
        remind_after,
    )
}

/// A type that the console does not know: its outcome is any word.
fn triage(dice: &Dice, remind_after: u64) -> Parcel {
    let percent = dice.between(88, 97);
    let payload =
        json!({"alarm": format!("disk {percent} % full"), "host": "db-3", "since": "25 min"});
    let task = json!({"title": format!("Where does this alarm belong? Disk of db-3 {percent} % full"), "task_type": "triage"});
    ask(
        ("intent.alarm.triage.v1", "ops"),
        payload,
        &task,
        remind_after,
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::clock::{Entropy, SeededEntropy};

    #[test]
    fn each_type_is_asked_once() {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(7));
        let bodies: Vec<Value> = each(&Dice::new(&entropy))
            .iter()
            .map(Parcel::body)
            .collect();
        let kind = |body: &Value| {
            let kind = body
                .pointer("/human_task/task_type")
                .and_then(Value::as_str);
            kind.map(str::to_owned)
        };
        let kinds: BTreeSet<String> = bodies.iter().filter_map(kind).collect();
        assert_eq!(kinds.len(), ASKS.len(), "{kinds:?}");
        let diff = bodies.iter().find_map(|body| body.pointer("/payload/diff"));
        assert!(
            diff.and_then(Value::as_str)
                .is_some_and(|diff| diff.matches("@@ -").count() == 2)
        );
    }
}

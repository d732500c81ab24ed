//! What the intents of the demonstration are about: orders, invoices, refunds, deployments.

use serde_json::{Map, Value, json};

use super::dice::Dice;

/// An intent to be sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parcel {
    pub(super) intent_type: &'static str,
    pub(super) to: &'static str,
    pub(super) payload: Value,
    /// More fields of the create body.
    pub(super) more: Map<String, Value>,
}

impl Parcel {
    pub(super) fn new(intent_type: &'static str, to: &'static str, payload: Value) -> Self {
        Self {
            intent_type,
            to,
            payload,
            more: Map::new(),
        }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// The body of `POST /v1/intents`.
    pub(super) fn body(&self) -> Value {
        let mut body = self.more.clone();
        body.insert("intent_type".to_owned(), json!(self.intent_type));
        body.insert("to_agent".to_owned(), json!(self.to));
        body.insert("payload".to_owned(), self.payload.clone());
        Value::Object(body)
    }
}

const PEOPLE: &[&str] = &[
    "María Fernández",
    "Jürgen Weiß",
    "Chloé Dubois",
    "Søren Østergaard",
    "Zoë van den Berg",
    "Łukasz Wójcik",
    "Nguyễn Thị Mai",
    "山田 花子",
    "Айгуль Сейтова",
    "Óscar Ibáñez",
    "Grace Okafor",
    "Priya Raghunathan",
    "Tom O'Neill",
    "İpek Yıldız",
    "Ana-Lucia Gonçalves",
];
const COMPANIES: &[&str] = &[
    "Nordlicht Möbel GmbH",
    "Café Árbol S.L.",
    "Hansen & Søn A/S",
    "Pallas Robotics",
    "Kobe 電機",
    "Brightwater Foods Ltd",
    "Atelier Noé",
    "Greenfield Cycles",
    "Övik Paper AB",
    "Tidewater Dental",
];
const CITIES: &[&str] = &[
    "Zürich",
    "Málaga",
    "København",
    "Łódź",
    "Québec",
    "São Paulo",
    "Reykjavík",
    "大阪",
    "Lagos",
    "Pune",
];
const THINGS: &[(&str, &str)] = &[
    ("SKU-1042", "Standing desk, oak 160 cm"),
    ("SKU-2210", "Espresso grinder"),
    ("SKU-3107", "Trail running shoes"),
    ("SKU-4418", "Noise-cancelling headphones"),
    ("SKU-5023", "Crème brûlée torch"),
    ("SKU-6001", "Kids' bike 20\""),
    ("SKU-7755", "Matcha set 抹茶"),
];
const SERVICES: &[&str] = &[
    "checkout-api",
    "pricing",
    "search",
    "identity",
    "image-resizer",
    "ledger-sync",
];
const REASONS: &[&str] = &[
    "arrived damaged",
    "wrong size",
    "late delivery",
    "charged twice",
    "changed my mind",
    "missing parts",
];
const CURRENCIES: &[&str] = &["EUR", "EUR", "EUR", "DKK", "CHF", "USD", "JPY"];

pub(super) fn order(dice: &Dice) -> Parcel {
    let lines: Vec<Value> = (0..dice.between(1, 3))
        .map(|_| {
            let (sku, name) = dice.pick(THINGS);
            json!({"sku": sku, "name": name, "quantity": dice.between(1, 4), "price": dice.amount(9, 480)})
        })
        .collect();
    let payload = json!({
        "order_id": format!("ORD-{}", dice.between(100_000, 999_999)),
        "customer": {"name": dice.pick(PEOPLE), "city": dice.pick(CITIES)},
        "lines": lines,
        "currency": dice.pick(CURRENCIES),
        "express": dice.percent(20),
    });
    Parcel::new("intent.order.process.v1", "order-processor", payload)
        .with("max_delivery_attempts", json!(4))
}

pub(super) fn ledger_entry(dice: &Dice) -> Parcel {
    let payload = json!({
        "entry": format!("JE-2026-{}", dice.between(10_000, 99_999)),
        "debit": dice.pick(&["1200 receivables", "1400 stock", "6300 freight"]),
        "credit": dice.pick(&["4000 sales", "2100 payables", "1800 bank"]),
        "amount": dice.amount(4, 9200),
        "currency": dice.pick(CURRENCIES),
        "party": dice.pick(COMPANIES),
    });
    Parcel::new("intent.ledger.post.v1", "ledger", payload)
}

pub(super) fn invoice(dice: &Dice) -> Parcel {
    let payload = json!({
        "invoice": format!("INV-{}", dice.between(20_000, 99_999)),
        "customer": dice.pick(COMPANIES),
        "contact": dice.pick(PEOPLE),
        "total": dice.amount(40, 12_500),
        "currency": dice.pick(CURRENCIES),
        "terms_days": dice.pick(&[14_u64, 30, 60]),
    });
    Parcel::new("intent.invoice.issue.v1", "billing-webhook", payload)
        .with("max_delivery_attempts", json!(5))
}

/// A text message; `is_bad` ones go to a number that no carrier takes.
pub(super) fn text_message(dice: &Dice, is_bad: bool) -> Parcel {
    let number = if is_bad {
        format!("+00 {}", dice.between(100_000, 999_999))
    } else {
        format!(
            "+45 {} {}",
            dice.between(2000, 9999),
            dice.between(1000, 9999)
        )
    };
    let payload = json!({
        "number": number,
        "text": dice.pick(&[
            "Your parcel is out for delivery 🚚",
            "Su pedido llegará mañana entre 9:00 y 11:00",
            "Din pakke er klar til afhentning",
            "ご注文ありがとうございます",
            "Your code is ••••••",
        ]),
        "customer": dice.pick(PEOPLE),
    });
    let attempts = if is_bad { dice.between(1, 2) } else { 3 };
    Parcel::new("intent.sms.send.v1", "sms-relay", payload)
        .with("max_delivery_attempts", json!(attempts))
}

pub(super) fn shipment(dice: &Dice) -> Parcel {
    let payload = json!({
        "shipment": format!("SHP-{}", dice.between(40_000, 89_999)),
        "to": {"name": dice.pick(PEOPLE), "city": dice.pick(CITIES)},
        "parcels": dice.between(1, 5),
        "weight_grams": dice.between(200, 31_000),
    });
    Parcel::new("intent.shipment.book.v1", "warehouse-webhook", payload)
        .with("max_delivery_attempts", json!(8))
}

pub(super) fn index_update(dice: &Dice) -> Parcel {
    let (sku, name) = dice.pick(THINGS);
    let payload = json!({"sku": sku, "name": name, "stock": dice.between(0, 900), "facets": ["home", "2026", "sale"]});
    Parcel::new("intent.search.index.v1", "search-indexer", payload)
}

pub(super) fn fraud_check(dice: &Dice) -> Parcel {
    let payload = json!({
        "order_id": format!("ORD-{}", dice.between(100_000, 999_999)),
        "customer": dice.pick(PEOPLE),
        "amount": dice.amount(300, 9000),
        "country": dice.pick(&["DK", "ES", "NG", "JP", "BR", "DE"]),
    });
    Parcel::new("intent.fraud.score.v1", "fraud-check", payload)
}

/// For a system that has been switched off: every one dies at once.
pub(super) fn crm_note(dice: &Dice) -> Parcel {
    let payload = json!({"customer": dice.pick(COMPANIES), "note": "renewal call scheduled", "by": dice.pick(PEOPLE)});
    Parcel::new("intent.crm.note.v1", "legacy-crm", payload)
}

/// For a receiver that is asleep during the day: the deadline comes first.
pub(super) fn report(dice: &Dice, deadline: &str) -> Parcel {
    let payload = json!({"report": dice.pick(&["turnover by city", "returns by reason", "slow movers"]), "month": "2026-03"});
    Parcel::new("intent.report.build.v1", "night-batch", payload)
        .with("deadline_at", json!(deadline))
}

/// Money back: a person of finance says yes or no.
pub(super) fn refund(dice: &Dice, remind_after: u64) -> Parcel {
    let amount = dice.between(20, 2400);
    let customer = dice.pick(PEOPLE);
    let order = dice.between(100_000, 999_999);
    let is_large = amount > 500;
    let payload = json!({
        "order_id": format!("ORD-{order}"), "customer": customer, "amount": amount, "currency": "EUR",
        "reason": dice.pick(REASONS), "orders_before": dice.between(0, 40), "refunds_before": dice.between(0, 3),
    });
    let task = json!({
        "title": format!("Refund €{amount} to {customer}"),
        "description": format!("Order ORD-{order}. Above €500 the policy wants a comment."),
        "task_type": "approval",
        "required_comment": is_large,
    });
    asked(
        Parcel::new("intent.refund.approve.v1", "finance", payload),
        &task,
        remind_after,
    )
}

/// A release: a person of operations looks at it, or confirms that it may go out.
pub(super) fn deployment(dice: &Dice, remind_after: u64) -> Parcel {
    let service = dice.pick(SERVICES);
    let version = format!(
        "{}.{}.{}",
        dice.between(1, 4),
        dice.between(0, 30),
        dice.between(0, 9)
    );
    let payload = json!({
        "service": service, "version": version, "author": dice.pick(PEOPLE),
        "changes": dice.between(1, 60), "canary_errors_percent": dice.amount(0, 2),
    });
    let (task_type, title, is_comment_required) = match dice.between(1, 3) {
        1 => (
            "review",
            format!("Review release notes of {service} {version}"),
            true,
        ),
        2 => (
            "confirmation",
            format!("Confirm rollout of {service} {version} to production"),
            true,
        ),
        _ => ("approval", format!("Deploy {service} {version}"), false),
    };
    let task = json!({
        "title": title,
        "description": "The canary has run for 20 minutes. Rollback takes about 3 minutes.",
        "task_type": task_type,
        "required_comment": is_comment_required,
    });
    let parcel = Parcel::new("intent.deployment.release.v1", "ops", payload);
    asked(parcel, &task, remind_after).with("reply_to", json!("deploy-bot"))
}

/// A question without a form: the answer is a sentence.
pub(super) fn question(dice: &Dice, remind_after: u64) -> Parcel {
    let customer = dice.pick(COMPANIES);
    let payload = json!({"customer": customer, "asked_by": dice.pick(PEOPLE), "invoice": format!("INV-{}", dice.between(20_000, 99_999))});
    let task = json!({
        "title": format!("Which cost centre for {customer}?"),
        "task_type": "clarification",
    });
    asked(
        Parcel::new("intent.invoice.clarify.v1", "finance", payload),
        &task,
        remind_after,
    )
}

/// With the question, and what happens while nobody answers it.
pub(super) fn asked(parcel: Parcel, task: &Value, remind_after: u64) -> Parcel {
    parcel
        .with("human_task", task.clone())
        .with("remind_after_seconds", json!(remind_after))
        .with("remind_interval_seconds", json!(60))
        .with("max_reminders", json!(3))
        .with("escalate_to", json!("ops-lead"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Entropy, SeededEntropy};
    use std::sync::Arc;

    #[test]
    fn every_parcel_is_a_create_body() {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(7));
        let dice = Dice::new(&entropy);
        let parcels = [
            order(&dice),
            ledger_entry(&dice),
            invoice(&dice),
            text_message(&dice, true),
            shipment(&dice),
            index_update(&dice),
            fraud_check(&dice),
            crm_note(&dice),
            report(&dice, "2026-04-11T10:00:00.000Z"),
            refund(&dice, 5),
            deployment(&dice, 5),
            question(&dice, 5),
        ];
        for parcel in parcels {
            let body = parcel.body();
            for name in ["intent_type", "to_agent", "payload"] {
                assert!(
                    body.get(name).is_some_and(|value| !value.is_null()),
                    "{body}"
                );
            }
        }
    }
}

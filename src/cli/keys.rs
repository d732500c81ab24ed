//! `keys`: who may do what, and how to point clients here.

use serde_json::{Value, json};

use super::arguments::KeysVerb;
use super::client::{Call, Client, list, segment, text};
use super::export::{self, Writer};
use super::failure::Failure;
use super::place;
use super::{Context, when};

pub(super) async fn run(verb: KeysVerb, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    match verb {
        KeysVerb::List { agent, export } => {
            let keys = all(&client, agent.as_deref(), context).await?;
            if let Some(format) = export.format {
                let mut writer = Writer::begin(context, format, export::KEYS)?;
                return keys.iter().try_for_each(|key| writer.value(key));
            }
            let answer = json!({"ok": true, "keys": keys});
            context
                .out
                .either(&answer, |_out| print_list(&answer, context))?;
            if context.out.is_json() {
                return Ok(());
            }
            point_clients_here(&client, context).await
        }
        KeysVerb::Create {
            agent,
            role,
            expires,
        } => {
            // The same name gives the existing account, so this asks for nothing that is there.
            let made = client
                .call(Call::post("/v1/service-accounts", json!({"name": agent})))
                .await?;
            let account = text(&made, "/service_account/service_account_id");
            let mut body = json!({"role": role});
            if let (Some(expires), Some(object)) = (expires, body.as_object_mut()) {
                let at = when::deadline(&expires, context.clock.now())?;
                object.insert("expires_at".to_owned(), json!(at.to_string()));
            }
            let path = format!("/v1/service-accounts/{}/keys", segment(&account));
            let answer = client.call(Call::post(path, body)).await?;
            context.out.either(&answer, |out| {
                super::output::note(&format!(
                    "{} for {}, role {}; it is shown this once:",
                    text(&answer, "/key/key_id"),
                    text(&made, "/service_account/address"),
                    text(&answer, "/key/role"),
                ));
                out.line(text(&answer, "/key/token"))
            })
        }
        KeysVerb::Revoke { key } => revoke(&client, &key, context).await,
    }
}

/// Every key, or those of one agent, each with the address of its account.
async fn all(
    client: &Client,
    agent: Option<&str>,
    context: &Context,
) -> Result<Vec<Value>, Failure> {
    let wanted = agent.map(|agent| context.address(agent)).transpose()?;
    let accounts = client.call(Call::get("/v1/service-accounts")).await?;
    let mut keys = Vec::new();
    for account in list(&accounts, "/service_accounts") {
        let address = text(account, "/address");
        if wanted.as_ref().is_some_and(|wanted| *wanted != address) {
            continue;
        }
        let id = text(account, "/service_account_id");
        let path = format!("/v1/service-accounts/{}/keys", segment(&id));
        let answer = client.call(Call::get(path)).await?;
        for key in list(&answer, "/keys") {
            let mut key = key.clone();
            if let Some(object) = key.as_object_mut() {
                object.insert("address".to_owned(), json!(address));
            }
            keys.push(key);
        }
    }
    Ok(keys)
}

async fn revoke(client: &Client, id: &str, context: &Context) -> Result<(), Failure> {
    let keys = all(client, None, context).await?;
    let key = keys.iter().find(|key| text(key, "/key_id") == id);
    let Some(key) = key else {
        return Err(Failure::refused(format!("no key {id}")).hint("postroom keys list"));
    };
    let account = text(key, "/service_account_id");
    let path = format!(
        "/v1/service-accounts/{}/keys/{}/revoke",
        segment(&account),
        segment(id)
    );
    let answer = client.call(Call::post(path, json!({}))).await?;
    context
        .out
        .either(&answer, |out| out.line(format!("{id}  revoked")))
}

fn print_list(answer: &Value, context: &Context) -> Result<(), Failure> {
    let now = context.clock.now();
    let rows = list(answer, "/keys").iter().map(|key| {
        vec![
            text(key, "/key_id"),
            context.short(&text(key, "/address")),
            text(key, "/role"),
            text(key, "/status"),
            format!("{}…", text(key, "/key_hint")),
            when::ago(key, "/created_at", now),
            when::until(key, "/expires_at", now),
        ]
    });
    let headings = ["key", "agent", "role", "status", "begins", "age", "expires"];
    context.out.table(&headings, rows.collect(), "no keys")
}

/// The key file, the ids, and the ready line for the `axme` command line.
async fn point_clients_here(client: &Client, context: &Context) -> Result<(), Failure> {
    let me = client.call(Call::get("/v1/me")).await?;
    let file = context.config.data.join(place::KEY_FILE);
    context.out.line("")?;
    for line in client_lines(
        client.base(),
        &file,
        &text(&me, "/org_id"),
        &text(&me, "/workspace_id"),
    ) {
        context.out.line(line)?;
    }
    Ok(())
}

/// What a person needs to point clients at a broker. The key itself stays in its file.
#[must_use]
pub fn client_lines(
    url: &str,
    key_file: &std::path::Path,
    org: &str,
    workspace: &str,
) -> [String; 4] {
    let file = key_file.display();
    [
        format!("KEY  {file}"),
        format!("ORG  {org}"),
        format!("WS   {workspace}"),
        format!(
            "axme context set default --base-url {url} --api-key \"$(cat '{file}')\" --org-id {org} --workspace-id {workspace}"
        ),
    ]
}

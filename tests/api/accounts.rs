//! Service accounts, keys and agents.

use serde_json::json;

use crate::house::house;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_an_agent_and_its_name_is_kept_verbatim() {
    let house = house().await;
    let body = json!({ "name": "Orders Team", "display_name": "Orders", "org_id": "O" });
    let path = "/v1/service-accounts";
    let made = house.post(path, &house.admin, body.clone()).await.ok();
    let account = &made["service_account"];
    assert_eq!(account["name"], "Orders Team");
    assert_eq!(account["org_id"], "O");
    assert_eq!(account["address"], "agent://local/default/orders-team");
    assert_eq!(account["agent_address"], account["address"]);
    assert_eq!(account["delivery_mode"], "stream");
    assert_eq!(account["ack_timeout_seconds"], json!(300));
    assert_eq!(account["callback_url"], json!(null));
    let again = house.post(path, &house.admin, body).await.ok();
    assert_eq!(again["service_account"], *account);
    house
        .post(path, &house.admin, json!({ "name": "orders team" }))
        .await
        .refused(409, "address_taken");
    house
        .post(
            path,
            &house.admin,
            json!({ "name": "hook", "delivery_mode": "http" }),
        )
        .await
        .refused(422, "schema_invalid");
    let list = house
        .get("/v1/service-accounts?org_id=O&workspace_id=W", &house.admin)
        .await
        .ok();
    let list = list["service_accounts"].as_array().unwrap();
    assert_eq!(list.len(), 2, "the operator and this one");
    assert_eq!(list[1]["workspace_id"], "W");
    let agent = house.get("/v1/agents/orders-team", &house.admin).await.ok();
    assert_eq!(
        agent["agent"]["service_account_id"],
        account["service_account_id"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_s_token_is_shown_once_and_tells_its_role() {
    let house = house().await;
    let account = house.account("orders", json!({})).await;
    let path = format!("/v1/service-accounts/{account}/keys");
    let made = house.post(&path, &house.admin, json!({})).await.ok();
    let token = made["api_key"].as_str().unwrap();
    assert_eq!(made["key"]["token"], made["api_key"]);
    assert_eq!(made["key"]["role"], "agent");
    assert_eq!(made["key"]["expires_at"], json!(null));
    assert!(token.starts_with(&format!("axme_sa_{account}_")));
    assert!(token.starts_with(made["key"]["key_hint"].as_str().unwrap()));
    let list = house.get(&path, &house.admin).await;
    assert!(!list.text.contains(token));
    assert_eq!(list.ok()["keys"][0]["status"], "active");
    house
        .post(&path, &house.admin, json!({ "role": "king" }))
        .await
        .refused(422, "schema_invalid");
    house
        .post("/v1/service-accounts/sa_99/keys", &house.admin, json!({}))
        .await
        .refused(404, "account_not_found");
    house
        .post(&format!("{path}/key_99/revoke"), &house.admin, json!({}))
        .await
        .refused(404, "key_not_found");
    let agent = house.get("/v1/me", token).await.ok();
    assert_eq!(
        agent["service_account"]["service_account_id"],
        json!(account)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_for_a_key_gets_the_same_key() {
    let house = house().await;
    let account = house.account("orders", json!({})).await;
    let path = format!("/v1/service-accounts/{account}/keys");
    let key = [("Idempotency-Key", "k-1")];
    let calls = (0..5).map(|_| house.post_with(&path, &house.admin, &key, json!({})));
    let replies = futures_util::future::join_all(calls).await;
    let first = replies[0].ok();
    for reply in &replies {
        assert_eq!(reply.ok(), first);
    }
    house
        .post_with(&path, &house.admin, &key, json!({ "role": "admin" }))
        .await
        .refused(409, "idempotency_conflict");
    let list = house.get(&path, &house.admin).await.ok();
    assert_eq!(list["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once_and_both_are_kept_while_they_overlap() {
    let house = house().await;
    let account = house.account("orders", json!({})).await;
    let path = format!("/v1/service-accounts/{account}/webhook-secret");
    let first = house.post(&path, &house.admin, json!({})).await.ok();
    assert!(first["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(first["previous_valid_until"], json!(null));
    let second = house
        .post(&path, &house.admin, json!({ "overlap_seconds": 60 }))
        .await
        .ok();
    assert_eq!(second["previous_valid_until"], "2026-04-11T10:01:00.000Z");
    let shown = house
        .get(&format!("/v1/service-accounts/{account}"), &house.admin)
        .await;
    assert!(!shown.text.contains("whsec_"));
    let agent = house
        .broker
        .registry()
        .agents()
        .into_iter()
        .find(|agent| agent.name == "orders");
    assert_eq!(agent.unwrap().secrets.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signing_key_is_shown_once_and_its_public_half_always() {
    let house = house().await;
    let account = house.account("orders", json!({})).await;
    let path = format!("/v1/service-accounts/{account}/webhook-secret");
    let asked = json!({ "algorithm": "ed25519" });
    let made = house.post(&path, &house.admin, asked).await.ok();
    assert!(made["secret"].as_str().unwrap().starts_with("whsk_"));
    let public = made["public_key"].clone();
    assert!(public.as_str().unwrap().starts_with("whpk_"));
    let shown = house
        .get(&format!("/v1/service-accounts/{account}"), &house.admin)
        .await;
    assert!(!shown.text.contains("whsk_"));
    let account = &shown.ok()["service_account"];
    assert_eq!(account["webhook_public_keys"], json!([public]));
    for wrong in [
        json!({ "algorithm": "rsa" }),
        json!({ "secret": "whsk_AQID" }),
    ] {
        house
            .post(&path, &house.admin, wrong)
            .await
            .refused(422, "schema_invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_account_has_no_keys_and_its_address_a_mailbox() {
    let house = house().await;
    let account = house.account("orders", json!({})).await;
    let keys = format!("/v1/service-accounts/{account}/keys");
    let made = house.post(&keys, &house.admin, json!({})).await.ok();
    let key = made["api_key"].as_str().unwrap();
    let path = format!("/v1/service-accounts/{account}");
    let deleted = house
        .send(house.request("DELETE", &path, &house.admin))
        .await
        .ok();
    assert_eq!(deleted["service_account"]["status"], "revoked");
    house
        .get("/v1/me", key)
        .await
        .refused(401, "invalid_platform_api_key");
    house.submit(&house.admin, "orders", json!({})).await;
    let me = house.get("/v1/me", &house.admin).await.ok();
    let own = me["service_account"]["service_account_id"]
        .as_str()
        .unwrap();
    let request = house.request(
        "DELETE",
        &format!("/v1/service-accounts/{own}"),
        &house.admin,
    );
    house.send(request).await.refused(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn mailboxes_nobody_registered_are_agents_without_account() {
    let house = house().await;
    house
        .submit(&house.admin, "agent://team/receiver", json!({}))
        .await;
    let list = house.get("/v1/agents?limit=1", &house.admin).await.ok();
    let cursor = list["next_cursor"].as_str().unwrap();
    let rest = house
        .get(&format!("/v1/agents?cursor={cursor}"), &house.admin)
        .await
        .ok();
    let agent = rest["agents"].as_array().unwrap().last().unwrap();
    assert_eq!(agent["address"], "agent://team/receiver");
    assert_eq!(agent["service_account_id"], "sa_unregistered");
    assert_eq!(agent["service_account_name"], "receiver");
    assert_eq!(agent["ready"], json!(1));
    house
        .get("/v1/agents/nobody", &house.admin)
        .await
        .refused(404, "agent_not_found");
}

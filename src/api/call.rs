//! What every handler needs to know of its request: who, on whose behalf, with which words beside the body.

use std::str::FromStr;

use axum::extract::{FromRequest, FromRequestParts, Query as AxumQuery, Request};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;

use crate::api::Api;
use crate::api::answer::ApiError;
use crate::api::auth::{Caller, authenticate};
use crate::api::limits::TooMany;
use crate::broker::request::{AuditNote, RememberKey};
use crate::domain::address::Address;
use crate::domain::time::Timestamp;
use crate::domain::via::Via;
use crate::store::query::PageRequest;
use crate::wire::agents::Place;
use crate::wire::body::Body;
use crate::wire::errors::Problem;

/// So many times the limit of a body are read of one that is refused, so that the client hears the answer instead
/// of a broken pipe.
pub(super) const DRAINED_BODIES: usize = 4;

/// The ids of a request, made or taken over by the outermost layer.
#[derive(Debug, Clone)]
pub(super) struct Traces {
    pub(super) request_id: String,
    pub(super) trace_id: String,
}

/// An authenticated request.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) caller: Caller,
    pub(super) query: Query,
    pub(super) trace_id: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) method: Method,
    pub(super) path: String,
    /// Whom the request names as the one it acts for, if that is an address. For the audit log.
    on_behalf: Option<Address>,
}

impl FromRequestParts<Api> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let caller = authenticate(api.broker(), &parts.headers)?;
        api.inner
            .usage
            .request(
                caller.key,
                api.broker().clock().now(),
                api.settings().requests_per_minute,
            )
            .map_err(TooMany::problem)?;
        let query = Query::of(parts);
        let on_behalf = on_behalf(api, &query, &parts.headers);
        Ok(Self {
            caller,
            query,
            on_behalf,
            trace_id: parts
                .extensions
                .get::<Traces>()
                .map(|traces| traces.trace_id.clone()),
            // Nothing after this looks at them again.
            headers: std::mem::take(&mut parts.headers),
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
        })
    }
}

impl Call {
    /// Another call by the same caller: the route that a tool stands for.
    pub(super) fn instead(
        &self,
        api: &Api,
        method: Method,
        path: String,
        query: Vec<(String, String)>,
        idempotency_key: Option<&str>,
    ) -> Self {
        let mut headers = self.headers.clone();
        headers.insert("x-postroom-via", HeaderValue::from_static("mcp"));
        headers.remove("idempotency-key");
        if let Some(key) = idempotency_key {
            // What is no header's value is refused as an empty key.
            let value = HeaderValue::from_str(key).unwrap_or(HeaderValue::from_static(""));
            headers.insert("idempotency-key", value);
        }
        let query = Query(query);
        Self {
            on_behalf: on_behalf(api, &query, &headers),
            caller: self.caller.clone(),
            query,
            trace_id: self.trace_id.clone(),
            headers,
            method,
            path,
        }
    }

    /// On whose behalf, if the request says: `owner_agent` or `x-owner-agent`.
    fn named_owner(&self, api: &Api) -> Result<Option<Address>, Problem> {
        let home = &api.broker().registry().home;
        let read = |text: &str| {
            Address::parse(text, home).map_err(|error| Problem::address("owner_agent", &error))
        };
        let in_query = self.query.get("owner_agent").map(read).transpose()?;
        let in_header = self
            .headers
            .get("x-owner-agent")
            .and_then(|value| value.to_str().ok())
            .filter(|text| !text.trim().is_empty())
            .map(read)
            .transpose()?;
        match (in_query, in_header) {
            (Some(one), Some(other)) if one != other => Err(Problem::new(
                "owner_mismatch",
                format!("owner_agent says {one}, x-owner-agent says {other}; give one of them"),
            )
            .with(json!({ "owner_agent": one.to_string(), "x-owner-agent": other.to_string() }))),
            (Some(one), _) | (None, Some(one)) => Ok(Some(one)),
            (None, None) => Ok(None),
        }
    }

    /// On whose behalf: the caller's own address when the request does not say.
    pub(super) fn owner(&self, api: &Api) -> Result<Address, Problem> {
        match self.named_owner(api)? {
            None => Ok(self.caller.address.clone()),
            Some(owner) if self.caller.is_admin() || owner == self.caller.address => Ok(owner),
            Some(owner) => Err(Problem::new(
                "forbidden",
                format!(
                    "this key of {} may not act for {owner}",
                    self.caller.address
                ),
            )
            .with(json!({ "owner_agent": owner.to_string() }))),
        }
    }

    /// Whose inbox is asked for; none means everybody's, which is an admin's to see.
    pub(super) fn inbox_owner(&self, api: &Api) -> Result<Option<Address>, Problem> {
        if self.query.get("owner_agent") == Some("*") {
            self.caller.must_be_admin()?;
            return Ok(None);
        }
        self.owner(api).map(Some)
    }

    /// The idempotency key with this request's fingerprint, which is made only if there is one.
    pub(super) fn remember(
        &self,
        fingerprint: impl FnOnce() -> [u8; 32],
    ) -> Result<Option<RememberKey>, Problem> {
        let Some(value) = self.headers.get("idempotency-key") else {
            return Ok(None);
        };
        let key = value.to_str().map(str::trim).unwrap_or_default();
        self.remember_as(key, &self.path, fingerprint()).map(Some)
    }

    /// The same for a key that came in a body, under a path of its own.
    pub(super) fn remember_as(
        &self,
        key: &str,
        path: &str,
        fingerprint: [u8; 32],
    ) -> Result<RememberKey, Problem> {
        if key.is_empty() || key.chars().count() > 255 {
            return Err(Problem::field(
                "header",
                "Idempotency-Key",
                "must have 1 to 255 visible characters",
                "string",
            ));
        }
        Ok(RememberKey {
            scope: format!("{} {} {path}", self.caller.account, self.method),
            key: key.to_owned(),
            fingerprint,
        })
    }

    /// Through what this caller came. Our own programs say so; the page has no key and calls nothing here.
    pub(super) fn via(&self) -> Via {
        self.headers
            .get("x-postroom-via")
            .and_then(|value| value.to_str().ok())
            .and_then(Via::from_name)
            .filter(|via| matches!(via, Via::Console | Via::Command | Via::Mcp))
            .unwrap_or(Via::Api)
    }

    /// The entry of the audit log for a write of this caller.
    pub(super) fn note(
        &self,
        action: &str,
        target: impl std::fmt::Display,
        reason: Option<&str>,
    ) -> AuditNote {
        AuditNote {
            actor: self.caller.address.to_string(),
            key: Some(self.caller.key.to_string()),
            via: self.via().name().to_owned(),
            action: action.to_owned(),
            target: target.to_string(),
            owner: self.on_behalf.as_ref().map(ToString::to_string),
            reason: reason.map(str::to_owned),
            trace_id: self.trace_id.clone(),
        }
    }

    /// The ids of organisation and workspace that the answer repeats.
    pub(super) fn place(&self, api: &Api) -> Place {
        let registry = api.broker().registry();
        let given = |key: &str, own: &str| self.query.get(key).unwrap_or(own).to_owned();
        Place {
            org_id: given("org_id", &registry.org_id),
            workspace_id: given("workspace_id", &registry.workspace_id),
        }
    }
}

/// Whom a request names as the one it acts for. What is no address is the handler's to refuse.
fn on_behalf(api: &Api, query: &Query, headers: &HeaderMap) -> Option<Address> {
    let named = query.get("owner_agent").or_else(|| {
        headers
            .get("x-owner-agent")
            .and_then(|value| value.to_str().ok())
    })?;
    Address::parse(named, &api.broker().registry().home).ok()
}

/// The query of a request. A blank value counts as missing.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(parts: &Parts) -> Self {
        let pairs = AxumQuery::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        Self(pairs.map(|AxumQuery(pairs)| pairs).unwrap_or_default())
    }

    /// Takes the ids of organisation and workspace over from a body, which may carry them too.
    pub(super) fn take_place(&mut self, body: &Body<'_>) {
        for key in ["org_id", "workspace_id"] {
            if let Some(text) = body
                .get(key)
                .and_then(|value| serde_json::from_str::<String>(value.get()).ok())
            {
                self.0.push((key.to_owned(), text));
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, value)| name == key && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that may be given several times.
    pub(super) fn all(&self, key: &str) -> Vec<String> {
        let given = self.0.iter().filter(|(name, _)| name == key);
        given
            .map(|(_, value)| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .collect()
    }

    /// A value that reads itself.
    pub(super) fn parsed<T: FromStr>(&self, key: &str) -> Result<Option<T>, Problem>
    where
        T::Err: std::fmt::Display,
    {
        self.get(key)
            .map(|text| {
                text.parse().map_err(|error: T::Err| {
                    Problem::field("query", key, error.to_string(), "value_error")
                })
            })
            .transpose()
    }

    /// A whole number of at least zero.
    pub(super) fn number(&self, key: &str, default: u64) -> Result<u64, Problem> {
        match self.get(key) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_not_a_number| {
                Problem::field(
                    "query",
                    key,
                    format!("{text:?} is not a whole number of at least 0"),
                    "integer",
                )
            }),
        }
    }

    /// A number of seconds, brought between two bounds.
    pub(super) fn seconds(
        &self,
        key: &str,
        min: u64,
        max: u64,
        default: u64,
    ) -> Result<std::time::Duration, Problem> {
        let seconds = self.number(key, default)?.clamp(min, max);
        Ok(std::time::Duration::from_secs(seconds))
    }

    /// An instant.
    pub(super) fn instant(&self, key: &str) -> Result<Option<Timestamp>, Problem> {
        self.parsed(key)
    }

    /// An address in any accepted form.
    pub(super) fn address(&self, key: &str, api: &Api) -> Result<Option<Address>, Problem> {
        let home = &api.broker().registry().home;
        self.get(key)
            .map(|text| {
                // What carries events to a subscription can be looked for, if not sent to.
                match text.strip_prefix("webhook://") {
                    Some(id) => Ok(Address::webhook(id)),
                    None => {
                        Address::parse(text, home).map_err(|error| Problem::address(key, &error))
                    }
                }
            })
            .transpose()
    }

    /// The names of a comma list.
    pub(super) fn names(&self, key: &str) -> Vec<&str> {
        self.get(key)
            .map(|list| {
                list.split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty())
                    .collect()
            })
            .unwrap_or_default()
    }

    /// `limit` and `cursor`.
    pub(super) fn page(&self, default: u32, max: u32) -> Result<PageRequest, Problem> {
        Ok(PageRequest {
            limit: self.limit(default, max)?,
            cursor: self.get("cursor").map(str::to_owned),
        })
    }

    /// `limit`.
    pub(super) fn limit(&self, default: u32, max: u32) -> Result<u32, Problem> {
        let limit = self.number("limit", u64::from(default))?;
        u32::try_from(limit)
            .ok()
            .filter(|limit| (1..=max).contains(limit))
            .ok_or_else(|| {
                Problem::field(
                    "query",
                    "limit",
                    format!("must be between 1 and {max}"),
                    "integer",
                )
            })
    }
}

/// The body of a request, whole, within the limit of its route.
#[derive(Debug)]
pub(super) struct Upload(pub(super) Bytes);

/// The body of a batch.
#[derive(Debug)]
pub(super) struct LargeUpload(pub(super) Bytes);

impl FromRequest<Api> for Upload {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Api) -> Result<Self, ApiError> {
        upload(request, api, api.settings().body_bytes_max)
            .await
            .map(Self)
    }
}

impl FromRequest<Api> for LargeUpload {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Api) -> Result<Self, ApiError> {
        upload(request, api, api.settings().batch_bytes_max)
            .await
            .map(Self)
    }
}

async fn upload(request: Request, api: &Api, bytes_max: usize) -> Result<Bytes, ApiError> {
    let reading = read_body(request, bytes_max);
    match tokio::time::timeout(api.settings().body_wait, reading).await {
        Ok(body) => Ok(body?),
        Err(_elapsed) => Err(Problem::new(
            "malformed_json",
            format!(
                "body did not arrive within {} s",
                api.settings().body_wait.as_secs()
            ),
        )
        .into()),
    }
}

async fn read_body(request: Request, bytes_max: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            "payload_too_large",
            format!("request body has more than {bytes_max} bytes"),
        )
        .with(json!({ "limit": bytes_max }))
    };
    let mut stream = request.into_body().into_data_stream();
    let mut body = BytesMut::new();
    let mut bytes = 0_usize;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk
            .map_err(|error| Problem::new("malformed_json", format!("body broke off: {error}")))?;
        bytes = bytes.saturating_add(chunk.len());
        if bytes <= bytes_max {
            // The usual body is one chunk, which needs no copy.
            if body.is_empty() && stream.size_hint().1 == Some(0) {
                return Ok(chunk);
            }
            body.extend_from_slice(&chunk);
        } else if bytes > bytes_max.saturating_mul(DRAINED_BODIES) {
            return Err(too_large());
        }
    }
    if bytes > bytes_max {
        return Err(too_large());
    }
    Ok(body.freeze())
}

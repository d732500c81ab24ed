//! What is not here: unknown routes, and families that Postroom does not have.

use axum::extract::{FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};

use crate::api::Api;
use crate::api::answer::{self, ApiError};
use crate::api::call::Call;
use crate::wire::errors::Problem;

/// Families that Postroom does not have, by the first segment under `/v1`.
const NOT_POSTROOM: [&str; 19] = [
    "access-requests",
    "aliases",
    "alpha",
    "auth",
    "billing",
    "deliveries-operations",
    "invites",
    "matrix",
    "media",
    "organizations",
    "portal",
    "principals",
    "quotas",
    "routing",
    "sessions",
    "transports",
    "usage",
    "users",
    "workspaces",
];

/// Something that Postroom does not have.
pub(super) fn not_part_of_postroom(family: &str) -> Problem {
    Problem::new("not_supported", format!("{family} is not part of Postroom"))
}

/// Sending by route: its place is beside what there is.
pub(super) async fn never(_call: Call) -> Response {
    answer::problem(&not_part_of_postroom("sending by route"), false)
}

/// Everything without a route.
pub(super) async fn fallback(State(api): State<Api>, request: Request) -> Response {
    let (mut parts, _body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let Some(problem) = family(&path) else {
        let problem = Problem::new("not_found", format!("no route {} {path}", parts.method));
        return answer::problem(&problem, path.starts_with("/v1/scenarios"));
    };
    match Call::from_request_parts(&mut parts, &api).await {
        Ok(_call) => answer::problem(&problem, path.starts_with("/v1/scenarios")),
        Err(error) => ApiError::into_response(error),
    }
}

fn family(path: &str) -> Option<Problem> {
    let first = path.strip_prefix("/v1/")?.split('/').next()?;
    NOT_POSTROOM
        .contains(&first)
        .then(|| not_part_of_postroom(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_told_from_typing_mistakes() {
        let message = |path: &str| family(path).map(|problem| problem.message);
        assert_eq!(
            message("/v1/invites/create").as_deref(),
            Some("invites is not part of Postroom")
        );
        assert_eq!(message("/v1/intent"), None);
        assert_eq!(message("/v2"), None);
    }
}

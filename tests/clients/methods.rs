//! All of the published client.

use crate::broker::Broker;
use crate::python::walk;

#[test]
fn every_method_of_the_published_client_works_or_is_refused_by_its_family() {
    walk(&Broker::start(&[]), "methods.py", &["every_method"]);
}

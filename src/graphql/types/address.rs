//! A postal address.

use async_graphql::SimpleObject;

use crate::graphql::scalars::CountryCode;
use crate::unified;

/// A postal address.
#[derive(Clone, Debug, SimpleObject)]
pub struct Address {
    /// Street and number, for example `Av. Corrientes 1234`.
    line1: Option<String>,
    /// For example `Buenos Aires`.
    city: Option<String>,
    /// State or province, as the system has it.
    state: Option<String>,
    /// For example `C1043`.
    postal_code: Option<String>,
    /// For example `AR`.
    country: Option<CountryCode>,
}

impl From<unified::Address> for Address {
    fn from(address: unified::Address) -> Self {
        Self {
            line1: address.line1,
            city: address.city,
            state: address.state,
            postal_code: address.postal_code,
            country: address.country.map(CountryCode),
        }
    }
}

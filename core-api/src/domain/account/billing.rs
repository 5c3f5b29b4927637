//! What organisations pay: prices, amounts, and what follows from a balance.
//!
//! Invariant: no amount is rounded. Prices have at most nine decimals and counts at most six, so what
//! they come to has at most fifteen, of the 28 digits that a [`Decimal`] holds.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::moment::Moment;
use crate::domain::people::organisation::Standing;

/// Decimals of amounts that people enter.
const AMOUNT_PLACES: u32 = 6;
/// Decimals of prices.
const PRICE_PLACES: u32 = 9;
/// Digits before the point.
const WHOLE_DIGITS: usize = 12;
/// No balance is so much: it has more digits.
const MOST: u64 = 1_000_000_000_000;

/// An amount of money, in the currency of the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(Decimal);

/// No amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a decimal number such as `-12.50`, with up to 12 digits and {0} decimals")]
pub struct InvalidMoney(u32);

/// An amount or a sum is more than the account holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the balance would have more than 12 digits before the point")]
pub struct TooMuch;

/// What things cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prices {
    /// ISO 4217 code.
    pub currency: String,
    /// Of 1,000 calls that were let through.
    pub per_1000_requests: Money,
    /// Of a unit that a meter of this name counted.
    pub meters: BTreeMap<String, Money>,
    /// Below this share of the last credit a balance is low.
    pub low_share: Decimal,
}

/// What an organisation has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// What is left; below zero by what passed before its calls ended.
    pub balance: Money,
    /// The newest entry above zero.
    pub last_credit: Money,
}

/// An entry of the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingEntry {
    /// `entryId` of the API.
    pub id: Uuid,
    /// Below zero: taken back.
    pub amount: Money,
    /// For people.
    pub note: String,
    /// When it was made.
    pub created_at: Moment,
}

impl Money {
    /// A price, with more decimals than amounts have.
    ///
    /// # Errors
    /// It is no price, or below zero.
    pub fn price(text: &str) -> Result<Self, InvalidMoney> {
        let price = parse(text, PRICE_PLACES)?;
        if price.0.is_sign_negative() {
            return Err(InvalidMoney(PRICE_PLACES));
        }
        Ok(price)
    }

    /// As it is stored: nobody entered it.
    ///
    /// # Errors
    /// It is no decimal number.
    pub fn stored(text: &str) -> Result<Self, InvalidMoney> {
        let number = Decimal::from_str_exact(text);
        number.map(Self).map_err(|_| InvalidMoney(AMOUNT_PLACES))
    }

    /// Whether it is above zero.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0 > Decimal::ZERO
    }

    /// The sum.
    ///
    /// # Errors
    /// There is no such number.
    pub fn plus(self, other: Self) -> Result<Self, TooMuch> {
        let sum = self.0.checked_add(other.0).ok_or(TooMuch)?;
        if sum.abs() >= Decimal::from(MOST) {
            return Err(TooMuch);
        }
        Ok(Self(sum))
    }

    /// What is left without `cost`; stands still where there is no such number, which is far below
    /// zero.
    #[must_use]
    pub fn less(self, cost: Self) -> Self {
        self.plus(Self(-cost.0))
            .unwrap_or(Self(-Decimal::from(MOST)))
    }

    /// The sum; stands still where there is no such number.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.plus(other).unwrap_or(Self(Decimal::from(MOST)))
    }
}

impl FromStr for Money {
    type Err = InvalidMoney;

    fn from_str(text: &str) -> Result<Self, InvalidMoney> {
        parse(text, AMOUNT_PLACES)
    }
}

impl fmt::Display for Money {
    /// Without zeros at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(f)
    }
}

fn parse(text: &str, places: u32) -> Result<Money, InvalidMoney> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_number(whole, WHOLE_DIGITS) || !is_number(fraction, places as usize) {
        return Err(InvalidMoney(places));
    }
    let number = Decimal::from_str_exact(text);
    number.map(Money).map_err(|_| InvalidMoney(places))
}

impl Prices {
    /// Of that many calls; at most what no account holds.
    #[must_use]
    pub fn of_calls(&self, calls: u64) -> Money {
        product(
            self.per_1000_requests,
            Decimal::from_i128_with_scale(calls.into(), 3),
        )
    }

    /// Of what a meter of this name counted, in millionths, in the same way; zero without a price.
    #[must_use]
    pub fn of_meter(&self, name: &str, micros: u64) -> Money {
        let Some(price) = self.meters.get(name) else {
            return Money::default();
        };
        product(*price, Decimal::from_i128_with_scale(micros.into(), 6))
    }

    /// What follows from an account.
    #[must_use]
    pub fn standing(&self, account: Account) -> Standing {
        let Account {
            balance,
            last_credit,
        } = account;
        let low = last_credit.0.checked_mul(self.low_share);
        if !balance.is_positive() {
            Standing::Suspended
        } else if low.is_some_and(|low| balance.0 < low) {
            Standing::Low
        } else {
            Standing::Ok
        }
    }
}

fn product(price: Money, quantity: Decimal) -> Money {
    let product = price.0.checked_mul(quantity).map(Money);
    Money::default().and(product.unwrap_or(Money(Decimal::from(MOST))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    fn prices() -> Prices {
        let meters = [("tokens".to_owned(), Money::price("0.000002").unwrap())];
        Prices {
            currency: "EUR".to_owned(),
            per_1000_requests: Money::price("0.5").unwrap(),
            meters: BTreeMap::from(meters),
            low_share: Decimal::new(2, 1),
        }
    }

    #[test]
    fn an_amount_is_what_people_write() {
        for (text, shown) in [
            ("12.50", "12.5"),
            ("-0.000001", "-0.000001"),
            ("999999999999.999999", "999999999999.999999"),
            ("007", "7"),
        ] {
            assert_eq!(money(text).to_string(), shown);
        }
        for text in [
            "",
            "-",
            ".5",
            "1.",
            "1,5",
            "1e3",
            "+1",
            "0.0000001",
            "1000000000000",
            " 1",
            "NaN",
            "1_0",
        ] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
        assert!(Money::price("-0.1").is_err());
        assert!(Money::price("0.000000001").is_ok());
    }

    #[test]
    fn what_is_used_costs_that_to_the_last_decimal() {
        let prices = prices();
        assert_eq!(prices.of_calls(1).to_string(), "0.0005");
        let mut sum = Money::default();
        for _ in 0..1_000_000 {
            sum = sum.and(prices.of_calls(1));
        }
        assert_eq!(sum, prices.of_calls(1_000_000));
        assert_eq!(sum.to_string(), "500");
        assert_eq!(prices.of_meter("tokens", 1).to_string(), "0.000000000002");
        assert_eq!(prices.of_meter("other", 1), Money::default());
    }

    #[test]
    fn what_no_account_holds_is_refused_of_entries_and_as_much_as_can_be_of_charges() {
        assert_eq!(money("999999999999").plus(money("1")), Err(TooMuch));
        let mut dear = prices();
        dear.per_1000_requests = Money::price("999999999999").unwrap();
        let cost = dear.of_calls(u64::MAX);
        assert_eq!(cost.to_string(), "1000000000000");
        let left = money("10").less(cost).less(cost);
        assert_eq!(left.to_string(), "-1000000000000");
        let account = Account {
            balance: left,
            last_credit: money("10"),
        };
        assert_eq!(dear.standing(account), Standing::Suspended);
        // An entry counts from there.
        assert!(left.plus(money("999999999999")).is_ok());
    }

    #[test]
    fn a_balance_is_low_below_its_share_and_suspended_at_zero() {
        for (balance, standing) in [
            ("20", Standing::Ok),
            ("19.999999", Standing::Low),
            ("0.000001", Standing::Low),
            ("0", Standing::Suspended),
            ("-3", Standing::Suspended),
        ] {
            let account = Account {
                balance: money(balance),
                last_credit: money("100"),
            };
            assert_eq!(prices().standing(account), standing, "{balance}");
        }
    }
}

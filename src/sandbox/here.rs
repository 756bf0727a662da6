//! Which account a call is about. A sandbox may hold several, each in a fake of its own that knows
//! nothing of the others; what is shown of a thing names its account without every value carrying it.
//!
//! Handlers are plain functions, so what holds while one runs holds for its thread.

use std::cell::Cell;

use super::credentials::{ACCOUNTS, Account};

thread_local! {
    static HERE: Cell<&'static Account> = const { Cell::new(&ACCOUNTS[0]) };
}

/// The account that is at hand; the first one where nobody said.
pub fn account() -> &'static Account {
    HERE.get()
}

/// Does something about an account.
pub fn within<T>(account: &'static Account, work: impl FnOnce() -> T) -> T {
    let _before = Back(HERE.replace(account));
    work()
}

/// Puts back what was, also after a panic.
struct Back(&'static Account);

impl Drop for Back {
    fn drop(&mut self) {
        HERE.set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_before_is_afterwards() {
        let number = || account().number;
        let seen = within(&ACCOUNTS[1], || (number(), within(&ACCOUNTS[2], number), number()));
        assert_eq!((seen, number()), ((2, 3, 2), 1));
    }
}

//! The order book: the rules of the business, over tables of an SQLite file.

use std::path::Path;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::order::{NewOrder, Order, Refusal, Region, Side, Status};

/// What one account may owe at most, in cents.
pub(crate) const CREDIT_LIMIT: i64 = 1_000_000;

/// Settled orders are forgotten when so many have come after them, so that a long run does not fill the disk.
const KEPT: i64 = 100_000;

/// The tables. One thread uses them.
#[derive(Debug)]
pub(super) struct Book {
    connection: Connection,
}

/// Why an order cannot be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotQueued {
    Unknown,
    Already(Status),
}

impl Book {
    /// A new book in this file.
    pub(super) fn create(file: &Path) -> Result<Book> {
        let connection = Connection::open(file)?;
        // The book does not outlive the process, so nothing need survive a power cut.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = OFF;
             CREATE TABLE markets (region TEXT PRIMARY KEY, is_open INTEGER NOT NULL) WITHOUT ROWID;
             INSERT INTO markets VALUES ('eu', 1), ('us', 1), ('apac', 0);
             CREATE TABLE accounts (id INTEGER PRIMARY KEY, owes INTEGER NOT NULL);
             CREATE TABLE orders (
                 id INTEGER PRIMARY KEY, account INTEGER NOT NULL, side TEXT NOT NULL, region TEXT NOT NULL,
                 amount INTEGER NOT NULL, status TEXT NOT NULL
             );",
        )?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Book { connection })
    }

    pub(super) fn begin(&self) -> Result<()> {
        self.connection.execute_batch("BEGIN")
    }

    pub(super) fn commit(&self) -> Result<()> {
        self.connection.execute_batch("COMMIT").inspect_err(|_| {
            // The error that counts is the first.
            let _ = self.connection.execute_batch("ROLLBACK");
        })
    }

    /// Accepts an order, unless a rule refuses it.
    pub(super) fn place(&self, new: NewOrder) -> Result<Result<Order, Refusal>> {
        if new.amount <= 0 {
            return Ok(Err(Refusal::InvalidAmount));
        }
        let is_open: bool = self
            .statement("SELECT is_open FROM markets WHERE region = ?1")?
            .query_row([new.region], |row| row.get(0))?;
        if !is_open {
            return Ok(Err(Refusal::MarketClosed));
        }
        let owes: Option<i64> = self
            .statement("SELECT owes FROM accounts WHERE id = ?1")?
            .query_row([new.account], |row| row.get(0))
            .optional()?;
        if owes.unwrap_or(0).saturating_add(new.amount) > CREDIT_LIMIT {
            return Ok(Err(Refusal::CreditLimit));
        }
        self.statement(
            "INSERT INTO accounts VALUES (?1, ?2) ON CONFLICT DO UPDATE SET owes = owes + excluded.owes",
        )?
        .execute(params![new.account, new.amount])?;
        let NewOrder { account, side, region, amount } = new;
        let id = self
            .statement(
                "INSERT INTO orders (account, side, region, amount, status) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .insert(params![account, side, region, amount, Status::Open])?;
        self.statement("DELETE FROM orders WHERE id = ?1 AND status = ?2")?
            .execute(params![id - KEPT, Status::Settled])?;
        Ok(Ok(Order { id, what: new, status: Status::Open }))
    }

    /// The order of this number, if there is one.
    pub(super) fn find(&self, id: i64) -> Result<Option<Order>> {
        self.statement("SELECT id, account, side, region, amount, status FROM orders WHERE id = ?1")?
            .query_row([id], order)
            .optional()
    }

    /// Marks an open order as one that will be settled.
    pub(super) fn queue(&self, id: i64) -> Result<Result<Order, NotQueued>> {
        let Some(mut order) = self.find(id)? else { return Ok(Err(NotQueued::Unknown)) };
        if order.status != Status::Open {
            return Ok(Err(NotQueued::Already(order.status)));
        }
        order.status = Status::Queued;
        self.set_status(&order)?;
        Ok(Ok(order))
    }

    /// Settles orders: their amounts no longer count against the credit of their accounts.
    pub(super) fn settle(&self, orders: &[Order]) -> Result<()> {
        for order in orders {
            self.set_status(&Order { status: Status::Settled, ..*order })?;
            self.statement("UPDATE accounts SET owes = owes - ?2 WHERE id = ?1")?
                .execute(params![order.what.account, order.what.amount])?;
        }
        Ok(())
    }

    fn set_status(&self, order: &Order) -> Result<usize> {
        self.statement("UPDATE orders SET status = ?2 WHERE id = ?1")?
            .execute(params![order.id, order.status])
    }

    fn statement(&self, sql: &str) -> Result<rusqlite::CachedStatement<'_>> {
        self.connection.prepare_cached(sql)
    }
}

fn order(row: &Row<'_>) -> Result<Order> {
    let what = NewOrder { account: row.get(1)?, side: row.get(2)?, region: row.get(3)?, amount: row.get(4)? };
    Ok(Order { id: row.get(0)?, what, status: row.get(5)? })
}

impl Status {
    const ALL: [Status; 3] = [Status::Open, Status::Queued, Status::Settled];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Queued => "queued",
            Status::Settled => "settled",
        }
    }
}

/// Words stand in the tables as they do in answers and labels.
macro_rules! words_in_tables {
    ($($word:ty),+) => { $(
        impl ToSql for $word {
            fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl FromSql for $word {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let text = value.as_str()?;
                let word = <$word>::ALL.iter().copied().find(|word| word.as_str() == text);
                word.ok_or(FromSqlError::InvalidType)
            }
        }
    )+ };
}

words_in_tables!(Side, Region, Status);

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: NewOrder = NewOrder { account: 7, side: Side::Buy, region: Region::Eu, amount: 600_000 };

    fn book() -> Book {
        Book::create(Path::new(":memory:")).unwrap()
    }

    #[test]
    fn an_order_is_open_then_queued_then_settled() {
        let book = book();
        let order = book.place(ORDER).unwrap().unwrap();
        assert_eq!(book.find(order.id).unwrap(), Some(order));
        let queued = book.queue(order.id).unwrap().unwrap();
        assert_eq!((queued.what, queued.status), (ORDER, Status::Queued));
        assert_eq!(book.queue(order.id).unwrap(), Err(NotQueued::Already(Status::Queued)));
        book.settle(&[queued]).unwrap();
        assert_eq!(book.find(order.id).unwrap().unwrap().status, Status::Settled);
        assert_eq!(book.queue(order.id + 1).unwrap(), Err(NotQueued::Unknown));
    }

    #[test]
    fn an_account_may_owe_up_to_its_limit_and_settling_frees_it() {
        let book = book();
        let first = book.place(ORDER).unwrap().unwrap();
        assert_eq!(book.place(ORDER).unwrap(), Err(Refusal::CreditLimit));
        assert!(book.place(NewOrder { amount: CREDIT_LIMIT - ORDER.amount, ..ORDER }).unwrap().is_ok());
        assert_eq!(book.place(NewOrder { amount: 1, ..ORDER }).unwrap(), Err(Refusal::CreditLimit));
        assert!(book.place(NewOrder { account: 8, ..ORDER }).unwrap().is_ok(), "accounts are apart");
        book.settle(&[first]).unwrap();
        assert!(book.place(ORDER).unwrap().is_ok());
    }

    #[test]
    fn a_closed_market_and_an_amount_of_nothing_or_less_are_refused() {
        let closed = NewOrder { region: Region::Apac, ..ORDER };
        assert_eq!(book().place(closed).unwrap(), Err(Refusal::MarketClosed));
        for amount in [0, -1, i64::MIN] {
            assert_eq!(book().place(NewOrder { amount, ..ORDER }).unwrap(), Err(Refusal::InvalidAmount));
        }
        let all = NewOrder { amount: i64::MAX, ..ORDER };
        assert_eq!(book().place(all).unwrap(), Err(Refusal::CreditLimit));
    }
}

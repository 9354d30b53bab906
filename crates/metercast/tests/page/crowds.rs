//! More than there is room for: viewers, metrics and series. The page says so and goes on, and so does the service.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use metercast::{Instrument, Kind, NumberType};

use super::browser::Page;
use super::has_browser;
use super::shop::{CALLS, LIMIT, Shop};

/// A metric whose name is known at run time alone.
fn counter(name: String) -> Instrument {
    Instrument::builder(Kind::Counter, NumberType::U64, name).build().unwrap()
}

/// One who looks, and never reads what is told.
fn silent(shop: &Shop) -> TcpStream {
    let mut stream = TcpStream::connect(shop.address).unwrap();
    stream.write_all(b"GET /live/events HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    // It has its place once it is answered.
    let mut first = [0; 15];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    stream
}

#[test]
fn a_ninth_viewer_is_told_that_there_are_eight_and_sees_all_once_there_is_room() {
    if !has_browser("a_ninth_viewer_is_told_that_there_are_eight_and_sees_all_once_there_is_room") {
        return;
    }
    let shop = Shop::start();
    let mut others: Vec<_> = (0..7).map(|_| silent(&shop)).collect();
    let eighth = Page::open(&shop.url);
    eighth.see("#metrics", &["orders.placed"]);
    let ninth = Page::open(&shop.url);
    ninth.see("#live", &["not connected", "trying again", "8 viewers look at the live page", "close one"]);
    ninth.picture("ninth");
    // Who pauses does not take up a place.
    eighth.press("p");
    ninth.see("#live", &["● live"]);
    ninth.see("#metrics", &["orders.placed"]);
    eighth.press("p");
    eighth.see("#live", &["8 viewers look at the live page"]);
    drop(others.pop());
    eighth.see("#live", &["● live"]);
}

#[test]
fn viewers_who_never_read_lose_their_places() {
    if !has_browser("viewers_who_never_read_lose_their_places") {
        return;
    }
    let shop = Shop::start();
    let _silent: Vec<_> = (0..8).map(|_| silent(&shop)).collect();
    let late = Page::open(&shop.url);
    late.see("#live", &["8 viewers look at the live page"]);
    // So much each second that sockets cannot hold it for long.
    let large: Vec<_> = (0..1000).map(|n| counter(format!("silent.{n}.{}", "x".repeat(150)))).collect();
    // The page tries again after five seconds of its own, however many of the shop's have passed.
    let begun = Instant::now();
    while late.text("#live") != "● live" {
        shop.store.scope(|| large.iter().for_each(|one| one.add(1u64, [])));
        shop.second();
        assert!(begun.elapsed() < LIMIT, "they are still there");
    }
    late.see("#metrics", &["orders.placed"]);
}

#[test]
fn a_flood_of_metrics_and_series_leaves_the_page_answering_with_so_many_rows() {
    if !has_browser("a_flood_of_metrics_and_series_leaves_the_page_answering_with_so_many_rows") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open(&shop.url);
    page.see("#metrics", &["orders.placed"]);
    shop.store.scope(|| {
        (0..2000).for_each(|n| counter(format!("flood.{n}")).add(1u64, []));
        (0..5000).for_each(|n| CALLS.add(1, (&format!("user-{n}"), "search")));
    });
    shop.second();
    page.see("#counts", &["2008 metrics", "4013 series", "lines of history had no room"]);
    page.see("#beyond", &["more are not drawn; the filter finds them."]);
    assert_eq!(page.js("document.querySelectorAll('#table tbody tr').length"), 300);
    // It goes on, and what is not drawn is found.
    shop.serve_for(3);
    page.press("/");
    page.type_text("tool.calls");
    page.until("document.querySelectorAll('#table tbody tr').length === 1");
    page.js("document.querySelector('#table tbody button').click()");
    page.see("#about", &["2001 series"]);
    page.see("#largest", &["The 100 largest of 2001 series"]);
    assert_eq!(page.js("document.querySelectorAll('#series tbody tr').length"), 100);
    assert_eq!(page.js("document.querySelectorAll('#labels .chip').length <= 100"), true);
    assert_eq!(page.js("document.querySelectorAll('#cardinal tbody tr').length <= 50"), true);
    assert_eq!(page.troubles(), Vec::<String>::new());
}

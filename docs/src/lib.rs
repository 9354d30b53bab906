//! The pages of `docs`, so that what they show is compiled and run: Rust by rustdoc, files and variables by the tests below.

/// A page, whose Rust is run as the documentation of an item is.
macro_rules! pages {
    ($($page:literal as $name:ident,)*) => {
        $(
            #[doc = include_str!(concat!("../", $page))]
            #[cfg(doctest)]
            pub mod $name {}
        )*

        /// Every page that is run.
        #[cfg(test)]
        const PAGES: &[(&str, &str)] = &[$(($page, include_str!(concat!("../", $page)))),*];
    };
}

pages! {
    "add-a-metric.md" as add_a_metric,
    "add-a-selector.md" as add_a_selector,
    "batch-job.md" as batch_job,
    "bound.md" as bound,
    "dashboards.md" as dashboards,
    "doctor.md" as doctor,
    "document.md" as document,
    "instruments.md" as instruments,
    "health.md" as health,
    "judge.md" as judge,
    "live.md" as live,
    "measure-a-library.md" as measure_a_library,
    "measure-http.md" as measure_http,
    "measure-jobs.md" as measure_jobs,
    "measure-pools.md" as measure_pools,
    "measure-the-process.md" as measure_the_process,
    "measure-websockets.md" as measure_websockets,
    "migrate.md" as migrate,
    "push.md" as push,
    "reload.md" as reload,
    "scrape.md" as scrape,
    "shape.md" as shape,
    "share-figures.md" as share_figures,
    "stop.md" as stop,
    "test.md" as test,
    "top.md" as top,
    "trace.md" as trace,
    "write-an-exporter.md" as write_an_exporter,
}

#[cfg(test)]
mod tests;

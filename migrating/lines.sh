# Reads a page and prints its samples in one order: pages that differ in nothing here are equal to a scraper.
grep -v '^#' | grep . | perl -pe '
    s/\{(.*)\}/"{" . join(",", sort split(m!,(?=\w+=")!, $1)) . "}"/e;  # labels by key
    s/le="(\d+)\.0"/le="$1"/;                                          # 1.0 and 1 are one bound
' | sort

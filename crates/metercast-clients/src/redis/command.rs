//! The names of the commands of Redis.

use std::borrow::Cow;

use crate::error_type::OTHER;

/// How long the longest name is.
const LONGEST: usize = 20;

/// Of Redis up to 8, with its modules, and of Valkey; sorted. A server's administrator may rename commands, and a client may send anything.
#[rustfmt::skip]
const COMMANDS: [&str; 392] = [
    "ACL", "APPEND", "ASKING", "AUTH", "BF.ADD", "BF.CARD", "BF.EXISTS", "BF.INFO", "BF.INSERT", "BF.LOADCHUNK", "BF.MADD",
    "BF.MEXISTS", "BF.RESERVE", "BF.SCANDUMP", "BGREWRITEAOF", "BGSAVE", "BITCOUNT", "BITFIELD", "BITFIELD_RO", "BITOP",
    "BITPOS", "BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN", "CF.ADD", "CF.ADDNX",
    "CF.COUNT", "CF.DEL", "CF.EXISTS", "CF.INFO", "CF.INSERT", "CF.INSERTNX", "CF.LOADCHUNK", "CF.MEXISTS", "CF.RESERVE",
    "CF.SCANDUMP", "CLIENT", "CLUSTER", "CLUSTERSCAN", "CMS.INCRBY", "CMS.INFO", "CMS.INITBYDIM", "CMS.INITBYPROB", "CMS.MERGE",
    "CMS.QUERY", "COMMAND", "CONFIG", "COPY", "DBSIZE", "DEBUG", "DECR", "DECRBY", "DEL", "DELEX", "DELIFEQ", "DIGEST",
    "DISCARD", "DUMP", "ECHO", "EVAL", "EVALSHA", "EVALSHA_RO", "EVAL_RO", "EXEC", "EXISTS", "EXPIRE", "EXPIREAT", "EXPIRETIME",
    "FAILOVER", "FCALL", "FCALL_RO", "FLUSHALL", "FLUSHDB", "FT.AGGREGATE", "FT.ALIASADD", "FT.ALIASDEL", "FT.ALIASUPDATE",
    "FT.ALTER", "FT.CONFIG", "FT.CREATE", "FT.CURSOR", "FT.DICTADD", "FT.DICTDEL", "FT.DICTDUMP", "FT.DROPINDEX", "FT.EXPLAIN",
    "FT.EXPLAINCLI", "FT.HYBRID", "FT.INFO", "FT.PROFILE", "FT.SEARCH", "FT.SPELLCHECK", "FT.SUGADD", "FT.SUGDEL", "FT.SUGGET",
    "FT.SUGLEN", "FT.SYNDUMP", "FT.SYNUPDATE", "FT.TAGVALS", "FT._LIST", "FUNCTION", "GEOADD", "GEODIST", "GEOHASH", "GEOPOS",
    "GEORADIUS", "GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO", "GEORADIUS_RO", "GEOSEARCH", "GEOSEARCHSTORE", "GET", "GETBIT",
    "GETDEL", "GETEX", "GETRANGE", "GETSET", "HDEL", "HELLO", "HEXISTS", "HEXPIRE", "HEXPIREAT", "HEXPIRETIME", "HGET",
    "HGETALL", "HGETDEL", "HGETEX", "HINCRBY", "HINCRBYFLOAT", "HKEYS", "HLEN", "HMGET", "HMSET", "HPERSIST", "HPEXPIRE",
    "HPEXPIREAT", "HPEXPIRETIME", "HPTTL", "HRANDFIELD", "HSCAN", "HSET", "HSETEX", "HSETNX", "HSTRLEN", "HTTL", "HVALS",
    "INCR", "INCRBY", "INCRBYFLOAT", "INFO", "JSON.ARRAPPEND", "JSON.ARRINDEX", "JSON.ARRINSERT", "JSON.ARRLEN", "JSON.ARRPOP",
    "JSON.ARRTRIM", "JSON.CLEAR", "JSON.DEBUG", "JSON.DEL", "JSON.FORGET", "JSON.GET", "JSON.MERGE", "JSON.MGET", "JSON.MSET",
    "JSON.NUMINCRBY", "JSON.NUMMULTBY", "JSON.OBJKEYS", "JSON.OBJLEN", "JSON.RESP", "JSON.SET", "JSON.STRAPPEND", "JSON.STRLEN",
    "JSON.TOGGLE", "JSON.TYPE", "KEYS", "LASTSAVE", "LATENCY", "LCS", "LINDEX", "LINSERT", "LLEN", "LMOVE", "LMPOP", "LOLWUT",
    "LPOP", "LPOS", "LPUSH", "LPUSHX", "LRANGE", "LREM", "LSET", "LTRIM", "MEMORY", "MGET", "MIGRATE", "MODULE", "MONITOR",
    "MOVE", "MSET", "MSETEX", "MSETNX", "MULTI", "OBJECT", "PERSIST", "PEXPIRE", "PEXPIREAT", "PEXPIRETIME", "PFADD", "PFCOUNT",
    "PFDEBUG", "PFMERGE", "PFSELFTEST", "PING", "PSETEX", "PSUBSCRIBE", "PSYNC", "PTTL", "PUBLISH", "PUBSUB", "PUNSUBSCRIBE",
    "QUIT", "RANDOMKEY", "READONLY", "READWRITE", "RENAME", "RENAMENX", "REPLCONF", "REPLICAOF", "RESET", "RESTORE",
    "RESTORE-ASKING", "ROLE", "RPOP", "RPOPLPUSH", "RPUSH", "RPUSHX", "SADD", "SAVE", "SCAN", "SCARD", "SCRIPT", "SDIFF",
    "SDIFFSTORE", "SELECT", "SENTINEL", "SET", "SETBIT", "SETEX", "SETNX", "SETRANGE", "SHUTDOWN", "SINTER", "SINTERCARD",
    "SINTERSTORE", "SISMEMBER", "SLAVEOF", "SLOWLOG", "SMEMBERS", "SMISMEMBER", "SMOVE", "SORT", "SORT_RO", "SPOP", "SPUBLISH",
    "SRANDMEMBER", "SREM", "SSCAN", "SSUBSCRIBE", "STRLEN", "SUBSCRIBE", "SUBSTR", "SUNION", "SUNIONSTORE", "SUNSUBSCRIBE",
    "SWAPDB", "SYNC", "TDIGEST.ADD", "TDIGEST.BYRANK", "TDIGEST.BYREVRANK", "TDIGEST.CDF", "TDIGEST.CREATE", "TDIGEST.INFO",
    "TDIGEST.MAX", "TDIGEST.MERGE", "TDIGEST.MIN", "TDIGEST.QUANTILE", "TDIGEST.RANK", "TDIGEST.RESET", "TDIGEST.REVRANK",
    "TDIGEST.TRIMMED_MEAN", "TIME", "TOPK.ADD", "TOPK.COUNT", "TOPK.INCRBY", "TOPK.INFO", "TOPK.LIST", "TOPK.QUERY",
    "TOPK.RESERVE", "TOUCH", "TS.ADD", "TS.ALTER", "TS.CREATE", "TS.CREATERULE", "TS.DECRBY", "TS.DEL", "TS.DELETERULE",
    "TS.GET", "TS.INCRBY", "TS.INFO", "TS.MADD", "TS.MGET", "TS.MRANGE", "TS.MREVRANGE", "TS.QUERYINDEX", "TS.RANGE",
    "TS.REVRANGE", "TTL", "TYPE", "UNLINK", "UNSUBSCRIBE", "UNWATCH", "VADD", "VCARD", "VDIM", "VEMB", "VGETATTR", "VINFO",
    "VISMEMBER", "VLINKS", "VRANDMEMBER", "VRANGE", "VREM", "VSETATTR", "VSIM", "WAIT", "WAITAOF", "WATCH", "XACK", "XACKDEL",
    "XADD", "XAUTOCLAIM", "XCFGSET", "XCLAIM", "XDEL", "XDELEX", "XGROUP", "XINFO", "XLEN", "XPENDING", "XRANGE", "XREAD",
    "XREADGROUP", "XREVRANGE", "XSETID", "XTRIM", "ZADD", "ZCARD", "ZCOUNT", "ZDIFF", "ZDIFFSTORE", "ZINCRBY", "ZINTER",
    "ZINTERCARD", "ZINTERSTORE", "ZLEXCOUNT", "ZMPOP", "ZMSCORE", "ZPOPMAX", "ZPOPMIN", "ZRANDMEMBER", "ZRANGE", "ZRANGEBYLEX",
    "ZRANGEBYSCORE", "ZRANGESTORE", "ZRANK", "ZREM", "ZREMRANGEBYLEX", "ZREMRANGEBYRANK", "ZREMRANGEBYSCORE", "ZREVRANGE",
    "ZREVRANGEBYLEX", "ZREVRANGEBYSCORE", "ZREVRANK", "ZSCAN", "ZSCORE", "ZUNION", "ZUNIONSTORE",
];

/// The command of this name in whatever case, if it is one.
pub(super) fn known(name: &[u8]) -> &'static str {
    let mut upper = [0; LONGEST];
    let Some(upper) = upper.get_mut(..name.len()) else { return OTHER };
    upper.copy_from_slice(name);
    upper.make_ascii_uppercase();
    COMMANDS.binary_search_by(|known| known.as_bytes().cmp(upper)).map_or(OTHER, |at| COMMANDS[at])
}

/// Many commands that are sent together, as the semantic conventions of Redis call them: by the name that all of them have, if they
/// have one.
pub(super) fn of_many(transaction: bool, mut names: impl Iterator<Item = &'static str>) -> Cow<'static, str> {
    let together = if transaction { "MULTI" } else { "PIPELINE" };
    match names.next() {
        Some(first) if names.all(|name| name == first) => format!("{together} {first}").into(),
        _ => together.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_no_name_is_longer_than_the_longest() {
        assert!(COMMANDS.is_sorted_by(|a, b| a < b));
        assert_eq!(COMMANDS.iter().map(|name| name.len()).max(), Some(LONGEST));
        assert!(COMMANDS.iter().all(|name| known(name.as_bytes()) == *name));
    }

    #[test]
    fn a_command_is_known_in_any_case_and_anything_else_is_not() {
        assert_eq!(known(b"get"), "GET");
        assert_eq!(known(b"Json.Get"), "JSON.GET");
        for odd in ["", "GE", "GET ", "GETT", "get\0", "\u{130}", &"GET".repeat(1000)] {
            assert_eq!(known(odd.as_bytes()), "_OTHER", "{odd:?}");
        }
        assert_eq!(known(&[0xff; LONGEST]), "_OTHER");
    }

    #[test]
    fn commands_together_have_the_name_that_all_have() {
        assert_eq!(of_many(false, ["GET", "GET"].into_iter()), "PIPELINE GET");
        assert_eq!(of_many(true, ["SET"].into_iter()), "MULTI SET");
        assert_eq!(of_many(true, ["SET", "GET"].into_iter()), "MULTI");
        assert_eq!(of_many(false, std::iter::empty()), "PIPELINE");
    }
}

//! How many different ones there are, from what the registers of HyperLogLog say.
//!
//! This is the improved estimator of Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), section 4:
//! it needs no tables of bias and no change of formula between small and large numbers, so it does not jump anywhere.

use crate::sketch::Grain;

/// The number that these registers are most likely of.
pub(crate) fn estimate(registers: &[u8], grain: Grain) -> u64 {
    let most = grain.most();
    let mut having = [0_u32; 66];
    for register in registers {
        having[usize::from((*register).min(most))] += 1;
    }
    let m = registers.len() as f64;
    let mut z = m * tau(1.0 - f64::from(having[usize::from(most)]) / m);
    for value in (1..most).rev() {
        z = 0.5 * (z + f64::from(having[usize::from(value)]));
    }
    z += m * sigma(f64::from(having[0]) / m);
    let alpha = 0.5 / std::f64::consts::LN_2;
    // All registers empty: z is infinite, and the number 0.
    (alpha * m * m / z).round() as u64
}

/// x + the sum over k of x^(2^k) * 2^(k-1), for empty registers.
fn sigma(x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut x, mut y, mut z) = (x, 1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

/// (1 - x - the sum over k of (1 - x^(2^-k))^2 * 2^-k) / 3, for registers that can say no more.
fn tau(x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut x, mut y, mut z) = (x, 1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAIN: Grain = Grain { precision: 14, exact: 0 };

    #[test]
    fn nothing_is_none_and_the_fullest_registers_are_a_number() {
        assert_eq!(estimate(&vec![0; 1 << 14], GRAIN), 0);
        let fullest = estimate(&vec![GRAIN.most(); 1 << 14], GRAIN);
        assert!(fullest > 1 << 60, "{fullest}");
        // What cannot be, as from a file that was written by hand.
        assert_eq!(estimate(&vec![255; 1 << 14], GRAIN), fullest);
    }

    #[test]
    fn one_register_is_one() {
        let mut registers = vec![0; 1 << 14];
        registers[7] = 1;
        assert_eq!(estimate(&registers, GRAIN), 1);
    }
}

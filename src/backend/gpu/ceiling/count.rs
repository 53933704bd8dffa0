//! What the shaders' texts multiply: integer products of a field operation, field operations of a signature.

use crate::algorithms::secp256k1::ceiling::Work;
use crate::backend::gpu::program::{Kernel, Limbs};

/// Integer products of `fe_mul` and of `fe_sqr` in these limbs.
pub fn products(limbs: Limbs) -> [u32; 2] {
    ["fe_mul", "fe_sqr"].map(|function| products_of(body(limbs.text(), function)))
}

/// Products in a function's body; those with a power of two are shifts.
fn products_of(body: &str) -> u32 {
    let is_product = |factor: &&str| {
        let digits = factor.trim_start_matches("u64(");
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        !digits[..end].parse::<u64>().is_ok_and(u64::is_power_of_two)
    };
    body.split(" * ").skip(1).filter(is_product).count() as u32
}

/// Integer products of one signature in these limbs.
pub(super) fn multiplies(limbs: Limbs) -> f64 {
    let [product, square] = products(limbs).map(f64::from);
    let Work { products, squares } = work();
    f64::from(products) * product + f64::from(squares) * square
}

/// Field operations of the kernel `multiply` for one signature.
pub fn multiply_work() -> Work {
    let text = Kernel::Multiply.text(Limbs::U32);
    let constant = |name| constant(&text, name);
    let windows = constant("WINDOWS");
    let generator = windows.div_ceil(constant("GENERATOR_STRIDE").max(1));
    let doublings = windows.saturating_sub(1) * constant("KEY_WIDTH");
    // Two halves of each scalar, and the point that ends the sum; a product with beta for every second half.
    let additions = 2 * windows + 2 * generator + 1;
    sum([
        (calls(&text, "point_double"), doublings),
        (calls(&text, "point_add_affine"), additions),
        (Work { products: 1, squares: 0 }, windows + generator),
    ])
}

/// Field operations of one signature with a compressed key, of any algorithm. What is done mod n is left out, and so are
/// inversions, which many signatures share.
pub fn work() -> Work {
    let text = |kernel: Kernel| kernel.text(Limbs::U32);
    let (decode, table) = (text(Kernel::Decode), text(Kernel::Table));
    let (affine, evidence) = (text(Kernel::TableAffine), text(Kernel::Evidence));
    sum([
        (calls(&decode, "decode"), 1),
        (ROOT, 1),
        (calls(&table, "point_double_co_z"), 1),
        (calls(&table, "point_add_co_z"), MULTIPLES),
        (calls(&table, "table"), MULTIPLES),
        (calls(&affine, "table_affine"), MULTIPLES),
        (multiply_work(), 1),
        // Of the last multiple, and of the result.
        (Work { products: 3, squares: 0 }, 2),
        (calls(&evidence, "evidence"), 1),
    ])
}

/// Of `fe_root`, by its steps.
const ROOT: Work = Work { products: 13, squares: 253 };

/// Multiples of the key in its table, the key itself apart.
const MULTIPLES: u32 = 15;

fn sum<const N: usize>(parts: [(Work, u32); N]) -> Work {
    let add = |sum: Work, (part, times): (Work, u32)| Work {
        products: sum.products + part.products * times,
        squares: sum.squares + part.squares * times,
    };
    parts.into_iter().fold(Work { products: 0, squares: 0 }, add)
}

/// Field operations that a function's body calls.
fn calls(text: &str, function: &str) -> Work {
    let body = body(text, function);
    let count = |called| body.matches(called).count() as u32;
    Work { products: count("fe_mul("), squares: count("fe_sqr(") }
}

/// The text between a function's name and its end.
fn body<'a>(text: &'a str, function: &str) -> &'a str {
    let rest = text.split_once(&format!("fn {function}(")).map_or("", |(_, rest)| rest);
    rest.split("\n}").next().unwrap_or_default()
}

/// A constant of a shader; 0 where it has none of that name.
fn constant(text: &str, name: &str) -> u32 {
    let value = text.split_once(&format!("const {name}: u32 = ")).map(|(_, rest)| rest);
    value.and_then(|rest| rest.split_once('u')?.0.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_the_field_are_those_of_its_limbs() {
        // Pairs of limbs, and at most two products by the reduction for each limb of the result.
        for (limbs, count) in [(Limbs::U64, 10), (Limbs::U32, 20)] {
            let [product, square] = products(limbs);
            let (pairs, halves) = (count * count, count * (count + 1) / 2);
            assert!((pairs..=pairs + 2 * count + 2).contains(&product), "{limbs:?}: {product}");
            assert!((halves..=halves + 2 * count + 2).contains(&square), "{limbs:?}: {square}");
        }
    }

    #[test]
    fn the_root_is_its_steps() {
        let text = Kernel::Decode.text(Limbs::U32);
        let (_, steps) = text.split_once("const STEPS").expect("in the text");
        let numbers = |row: &str| -> Option<[u32; 3]> {
            let parts: Vec<_> = row.split_once(')')?.0.split(", ").collect();
            let parts: Vec<u32> =
                parts.iter().filter_map(|part| part.trim_end_matches('u').parse().ok()).collect();
            parts.try_into().ok()
        };
        let steps: Vec<_> = steps.split("vec3(").skip(1).map_while(numbers).take(11 + 3).collect();
        assert_eq!(steps.len(), 14);
        let squares = steps.iter().map(|step| step[0]).sum();
        let products = steps.iter().filter(|step| step[1] < 7).count() as u32;
        assert_eq!(ROOT, Work { products, squares });
    }

    #[test]
    fn a_signature_is_what_its_formulas_take() {
        // 125 doublings of 3 products and 4 squares, 71 additions of 8 and 3, 35 products with beta.
        assert_eq!(multiply_work(), Work { products: 978, squares: 713 });
        let Work { products, squares } = work();
        // Root 13 and 253, table 77 and 34, affine 60 and 15, shared inversions 6, result 3 and 1, decoding 1 and 2.
        assert_eq!(
            (products, squares),
            (978 + 13 + 77 + 60 + 6 + 3 + 1, 713 + 253 + 34 + 15 + 1 + 2)
        );
    }
}

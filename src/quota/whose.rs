//! Whose use it was: a counter of the account fell, and the prices may tell by which model. Pure.

use crate::target::ModelId;

/// By how much a multiple of a price may be off, in parts of the price.
const NEAR: f64 = 0.02;
/// So many requests of one model are not told from a few of another.
const MOST: f64 = 50.0;

/// The model that a use of so many requests was of, given what a request of each costs. `None` where several could have
/// been used. Where there is one model only, it was that.
#[must_use]
pub fn whose<'m>(requests: f64, prices: &[(&'m ModelId, f64)]) -> Option<&'m ModelId> {
    let mut models: Vec<(&ModelId, f64)> = Vec::new();
    for (model, price) in prices {
        if models.iter().all(|(known, _)| known != model) {
            models.push((model, *price));
        }
    }
    if let [(only, _)] = models.as_slice() {
        return Some(*only);
    }
    let fits = |price: f64| {
        let times = requests / price;
        (1.0 - NEAR..=MOST).contains(&times) && (times - times.round()).abs() <= NEAR
    };
    let mut fitting = models.into_iter().filter(|(_, price)| fits(*price));
    fitting.next().filter(|_| fitting.next().is_none()).map(|(model, _)| model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fractional_price_tells_the_model() {
        let [a, b, c] = ["a", "b", "c"].map(ModelId::new);
        let prices = [(&a, 1.0), (&b, 0.3), (&c, 0.7)];
        assert_eq!(whose(0.3, &prices), Some(&b));
        assert_eq!(whose(0.7, &prices), Some(&c));
        assert_eq!(whose(2.0, &prices), Some(&a));
        assert_eq!(whose(0.45, &prices), None, "none of them");
        assert_eq!(whose(3.0, &prices), None, "three of one, or ten of another");
        assert_eq!(whose(1.0, &[(&a, 1.0), (&b, 1.0)]), None);
        assert_eq!(whose(0.45, &[(&a, 1.0), (&a, 1.0)]), Some(&a), "there is only one");
        assert_eq!(whose(1.0, &[]), None);
        assert_eq!(whose(1.0, &[(&a, 0.0), (&b, f64::NAN)]), None);
    }
}

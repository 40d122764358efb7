//! A colour, and whether it can be read: the contrast of WCAG 2.

use std::fmt;
use std::str::FromStr;

/// White, on which light pages stand.
pub(super) const WHITE: Colour = Colour([255, 255, 255]);
/// The surface of dark pages.
pub(super) const DARK: Colour = Colour([23, 30, 40]);

/// An opaque colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

/// Not a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a colour is written like #1f5fa8")]
pub struct NotAColour;

impl FromStr for Colour {
    type Err = NotAColour;

    fn from_str(text: &str) -> Result<Self, NotAColour> {
        let digits = text.strip_prefix('#').ok_or(NotAColour)?;
        let bytes = hex::decode(digits).map_err(|_| NotAColour)?;
        bytes.try_into().map(Self).map_err(|_| NotAColour)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", hex::encode(self.0))
    }
}

#[expect(clippy::float_arithmetic, reason = "light is not money")]
impl Colour {
    /// The contrast of two colours, 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let share = f64::from(part) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_the_one_of_the_guidelines() {
        let black = Colour([0, 0, 0]);
        assert!((black.contrast(WHITE) - 21.0).abs() < 0.001);
        let grey: Colour = "#777777".parse().unwrap();
        assert!((grey.contrast(WHITE) - 4.48).abs() < 0.01, "{}", grey.contrast(WHITE));
    }

    #[test]
    fn only_six_digits_are_a_colour() {
        for text in ["1f5fa8", "#1f5fa", "#1f5fa8ff", "red", "#gggggg", ""] {
            assert_eq!(text.parse::<Colour>(), Err(NotAColour), "{text}");
        }
        assert_eq!("#1F5FA8".parse::<Colour>().unwrap().to_string(), "#1f5fa8");
    }
}

// SPDX-License-Identifier: Apache-2.0
package megaclass.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class AugmentationTest {
  @Property
  void everyTextReadsBack(
      @ForAll @DoubleRange(min = 0, max = 0.5) double shift,
      @ForAll @DoubleRange(min = 0, max = 180) double rotate,
      @ForAll @DoubleRange(min = 0, max = 1) double share,
      @ForAll @DoubleRange(min = 0, max = 4) double blur) {
    var augmentation = new Augmentation(shift, share, rotate, 1 - share, 0, blur, share);
    assertEquals(augmentation, Augmentation.parse(augmentation.toString()));
  }

  @Test
  void whatIsNothingIsNotSaid() {
    assertEquals("none", Augmentation.NONE.toString());
    assertEquals(Augmentation.NONE, Augmentation.parse("none"));
    assertEquals(Augmentation.NONE, Augmentation.parse("augment(shift=0)"));
    assertEquals(
        "augment(shift=0.1, scale=0.1, rotate=10, flip=0.5, noise=0.02, blur=0.5, erase=0.1)",
        Augmentation.parse("augment(0.1, 0.1, 10, erase=0.1, flip=0.5, noise=0.02, blur=0.5)")
            .toString());
  }

  @Test
  void aWrongTextIsAnsweredWithTheForms() {
    assertEquals(
        """
        cannot read augmentation "augment(rotate=200)": rotate (degrees) must be in [0.0, 180.0], but was 200.0; expected
          augment(shift=0, scale=0, rotate=0, flip=0, noise=0, blur=0, erase=0)  e.g. augment(shift=0.1, scale=0.1, rotate=10)\
        """,
        error("augment(rotate=200)"));
    assertTrue(
        error("agument")
            .startsWith(
                "cannot read augmentation \"agument\": unknown name \"agument\" at character 1 (did"
                    + " you mean \"augment\"?); expected one of\n"
                    + "  none"),
        error("agument"));
    for (var wrong :
        new String[] {
          "shift=0.6", "scale=2", "flip=-1", "noise=1.5", "blur=5", "erase=2", "zoom=1"
        }) {
      assertTrue(error("augment(" + wrong + ")").contains(wrong.substring(0, 4)), wrong);
    }
  }

  private static String error(String text) {
    return String.valueOf(
        assertThrows(IllegalArgumentException.class, () -> Augmentation.parse(text)).getMessage());
  }
}

// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import static megaclass.formats.Pictures.all;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import megaclass.formats.Pictures.Taken;
import megaclass.internal.Hash;
import org.junit.jupiter.api.Test;

class GlyphPlanTest {
  private static final int FIRST = 0x4E00;

  /** Draws bits that depend on style and character; from a character on, a box or nothing. */
  private record Hand(String name, int style, int blankFrom, int boxFrom) implements GlyphFace {
    @Override
    public boolean has(int codePoint) {
      return codePoint != FIRST + 7 || style != 1;
    }

    @Override
    public byte[] draw(int codePoint, int size) {
      var pixels = new byte[size * size];
      if (codePoint < FIRST + blankFrom) {
        long key = codePoint >= FIRST + boxFrom ? 1 : Hash.key(style, codePoint);
        for (int i = 0; i < pixels.length; i++) {
          pixels[i] = (byte) ((Hash.key(key, i) & 1) * 255);
        }
      }
      return pixels;
    }
  }

  private static Hand hand(String name, int style) {
    return new Hand(name, style, 999, 999);
  }

  @Test
  void aCharacterIsAClassAndAFaceAnExample() {
    var drawings = all(plan(List.of(hand("a", 1), hand("b", 2)), 2, 1, 0, 10).train());
    assertEquals(19, drawings.size(), "one face lacks a character");
    assertEquals("一", drawings.getFirst().label());
    assertEquals(List.of("a", "b"), drawings.subList(0, 2).stream().map(Taken::name).toList());
    assertEquals(64, drawings.getFirst().pixels().size());
  }

  @Test
  void blanksAndBoxesAreLeftOut() {
    var faces = List.of(hand("a", 1), new Hand("blank", 2, 4, 999), new Hand("box", 3, 999, 6));
    var drawings = all(plan(faces, 3, 1, 0, 30).train());
    assertEquals(29, count(drawings, "a"));
    assertEquals(4, count(drawings, "blank"));
    assertEquals(6, count(drawings, "box"), "a box that stands for 24 characters");
    var few = all(plan(faces, 3, 1, 0, 26).train());
    assertEquals(26, count(few, "box"), "20 uses may be chance");
  }

  @Test
  void drawingsThatAreEqualToTheBitCountOnce() {
    var faces = List.of(hand("a", 1), hand("same as a", 1), hand("b", 2));
    var drawings = all(plan(faces, 3, 1, 0, 10).train());
    assertEquals(0, count(drawings, "same as a"));
    assertEquals(0, all(plan(faces, 3, 3, 0, 10).train()).size(), "two differ, three are asked");
    var held = plan(List.of(hand("a", 1), hand("b", 2), hand("c", 1)), 2, 1, 0, 10);
    assertEquals(List.of(), all(held.heldOutFaces()), "seen in training already");
  }

  @Test
  void heldOutFacesHaveTheCharactersToLearn() {
    var plan = plan(List.of(hand("a", 1), hand("b", 2), hand("c", 3)), 2, 2, 0.3, 100);
    var train = all(plan.train());
    var fonts = all(plan.heldOutFaces());
    var others = all(plan.heldOutCharacters());
    assertEquals(labels(train), labels(fonts));
    assertEquals(labels(fonts).size(), fonts.size());
    assertEquals(fonts.size(), count(fonts, "c"));
    assertTrue(labels(others).size() > 15 && labels(others).size() < 45);
    assertEquals(99, labels(train).size() + labels(others).size());
    assertTrue(labels(train).stream().noneMatch(labels(others)::contains));
    assertEquals(3 * labels(others).size(), others.size(), "in all faces");
  }

  @Test
  void aSetSaysHowItWasDrawn() {
    assertEquals(
        "glyphs to learn: 10 characters in 2 faces, 8 pixels, at least 1 faces, 0.0 of the"
            + " characters held out by seed 42",
        plan(List.of(hand("a", 1), hand("b", 2)), 2, 1, 0, 10).train().description());
  }

  @Test
  void drawingTwiceGivesTheSame() {
    var faces = new ArrayList<Hand>();
    IntStream.range(0, 5).forEach(i -> faces.add(hand("face " + i, i)));
    var source = plan(faces, 5, 2, 0.1, 2000).train();
    assertEquals(all(source), all(source));
  }

  @Test
  void hanCharactersAreInOrderAndStandForThemselves() {
    var han = GlyphPlan.han().toArray();
    assertTrue(han.length > 80_000);
    assertTrue(IntStream.range(1, han.length).allMatch(i -> han[i - 1] < han[i]));
    assertTrue(IntStream.of(han).anyMatch(c -> c == '漢'));
    assertTrue(IntStream.of(han).noneMatch(c -> c == 0xF900), "compatibility characters");
  }

  @Test
  void badSettingsAreRefused() {
    assertEquals(
        "size (pixels) must be in [8, 512], but was 4",
        assertThrows(IllegalArgumentException.class, () -> new GlyphPlan.Settings(4, 1, 0, 1))
            .getMessage());
  }

  private static GlyphPlan plan(
      List<Hand> faces, int trainFaces, int minFaces, double heldOut, int characters) {
    var settings = new GlyphPlan.Settings(8, minFaces, heldOut, 42);
    return GlyphPlan.of(faces, trainFaces, settings, IntStream.range(FIRST, FIRST + characters));
  }

  private static long count(List<Taken> drawings, String face) {
    return drawings.stream().filter(drawing -> drawing.name().equals(face)).count();
  }

  private static Set<String> labels(List<Taken> drawings) {
    var labels = new HashSet<String>();
    drawings.forEach(drawing -> labels.add(drawing.label()));
    return labels;
  }
}

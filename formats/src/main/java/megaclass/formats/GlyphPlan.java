// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import megaclass.data.ExampleSource;
import megaclass.data.FeatureKind;
import megaclass.data.ImageShape;
import megaclass.internal.Check;
import megaclass.internal.Hash;

/**
 * Which characters are drawn in which faces. A character is a class, its drawing in a face an
 * example with the face's name. Left out are drawings without ink, drawings that a face uses for
 * more than 20 characters (boxes that stand for missing ones), and drawings of a character that
 * equal that of an earlier face to the bit. Immutable.
 */
public final class GlyphPlan {
  private static final int MAX_USES = 20;
  private static final int LEAST_INK = 2;
  private static final int DARK = 128;
  private static final int AT_ONCE = 512;

  private final List<? extends GlyphFace> faces;
  private final int trainFaces;
  private final Settings settings;
  private final int[] characters;

  /** (faces)(characters): whether the drawing is an example. */
  private final boolean[][] drawn;

  /**
   * What is drawn.
   *
   * @param size side of the images in pixels
   * @param minFaces drawings in faces to learn from that a character needs
   * @param heldOutCharacters share of the characters that is not learned, drawn by the seed
   */
  public record Settings(int size, int minFaces, double heldOutCharacters, long seed) {
    /** Checks the ranges. */
    public Settings {
      Check.inRange("size (pixels)", size, 8, 512);
      Check.positive("minFaces", minFaces);
      Check.inRightOpenRange("heldOutCharacters", heldOutCharacters, 0, 1);
    }

    @Override
    public String toString() {
      return "%d pixels, at least %d faces, %s of the characters held out by seed %d"
          .formatted(size, minFaces, heldOutCharacters, seed);
    }
  }

  private GlyphPlan(
      List<? extends GlyphFace> faces, int trainFaces, Settings settings, int[] characters) {
    this.faces = faces;
    this.trainFaces = trainFaces;
    this.settings = settings;
    this.characters = characters;
    this.drawn = new boolean[faces.size()][characters.length];
  }

  /**
   * Draws all characters in all faces once, on all cores.
   *
   * @param faces those to learn from, then those held out
   * @param trainFaces how many are to learn from
   * @param characters code points in ascending order
   */
  public static GlyphPlan of(
      List<? extends GlyphFace> faces, int trainFaces, Settings settings, IntStream characters) {
    var plan = new GlyphPlan(List.copyOf(faces), trainFaces, settings, characters.toArray());
    var hashes =
        IntStream.range(0, faces.size()).parallel().mapToObj(plan::hashes).toArray(long[][]::new);
    for (int i = 0; i < plan.characters.length; i++) {
      var seen = new HashSet<Long>();
      for (int face = 0; face < faces.size(); face++) {
        plan.drawn[face][i] = hashes[face][i] != 0 && seen.add(hashes[face][i]);
      }
    }
    return plan;
  }

  /** The Han characters of Unicode that stand for themselves, in ascending order. */
  public static IntStream han() {
    return IntStream.concat(IntStream.range(0x3400, 0xA000), IntStream.range(0x20000, 0x2F800))
        .filter(c -> Character.UnicodeScript.of(c) == Character.UnicodeScript.HAN);
  }

  /** (characters): a hash of each drawing of a face; 0 for one that is left out. */
  private long[] hashes(int face) {
    var hashes = new long[characters.length];
    var uses = new HashMap<Long, Integer>();
    for (int i = 0; i < hashes.length; i++) {
      if (faces.get(face).has(characters[i])) {
        var pixels = draw(face, i);
        if (hasInk(pixels)) {
          hashes[i] = Hash.of(pixels, 0, pixels.length) | 1; // not 0
          uses.merge(hashes[i], 1, Integer::sum);
        }
      }
    }
    return Arrays.stream(hashes).map(h -> uses.getOrDefault(h, 0) > MAX_USES ? 0 : h).toArray();
  }

  private static boolean hasInk(byte[] pixels) {
    int dark = 0;
    for (byte pixel : pixels) {
      dark += (pixel & 0xFF) >= DARK ? 1 : 0;
    }
    return dark >= LEAST_INK;
  }

  private byte[] draw(int face, int i) {
    return faces.get(face).draw(characters[i], settings.size());
  }

  /** The characters to learn, in the faces to learn from. */
  public ExampleSource train() {
    return new Drawings("glyphs to learn", 0, trainFaces, i -> !heldOut(i));
  }

  /** The characters to learn, in the faces held out: who is it, in a hand not seen? */
  public ExampleSource heldOutFaces() {
    return new Drawings("glyphs in other fonts", trainFaces, faces.size(), i -> !heldOut(i));
  }

  /** The characters held out, in all faces: are these two the same, of those never seen? */
  public ExampleSource heldOutCharacters() {
    return new Drawings("other glyphs", 0, faces.size(), this::heldOut);
  }

  private boolean heldOut(int i) {
    return Hash.unit(Hash.key(settings.seed(), characters[i])) < settings.heldOutCharacters();
  }

  private boolean hasFaces(int i) {
    return IntStream.range(0, trainFaces).filter(face -> drawn[face][i]).count()
        >= settings.minFaces();
  }

  /** Drawings of some characters in some faces, character by character. */
  private final class Drawings implements ExampleSource {
    private final String what;
    private final int fromFace;
    private final int toFace;
    private final int[] chosen;

    Drawings(String what, int fromFace, int toFace, IntPredicate choice) {
      this.what = what;
      this.fromFace = fromFace;
      this.toFace = toFace;
      this.chosen =
          IntStream.range(0, characters.length)
              .filter(choice)
              .filter(GlyphPlan.this::hasFaces)
              .toArray();
    }

    @Override
    public FeatureKind kind() {
      return FeatureKind.IMAGE;
    }

    @Override
    public int featureDim() {
      return 0;
    }

    @Override
    public ImageShape imageShape() {
      return new ImageShape(1, settings.size(), settings.size());
    }

    @Override
    public String description() {
      return "%s: %d characters in %d faces, %s"
          .formatted(what, chosen.length, toFace - fromFace, settings);
    }

    @Override
    public void forEach(Sink sink) {
      for (int from = 0; from < chosen.length; from += AT_ONCE) {
        int first = from;
        int count = Math.min(AT_ONCE, chosen.length - from);
        var drawings =
            IntStream.range(0, count)
                .parallel()
                .mapToObj(i -> drawAll(chosen[first + i]))
                .toArray(byte[][][]::new);
        for (int i = 0; i < count; i++) {
          hand(chosen[first + i], drawings[i], sink);
        }
      }
    }

    /** (faces): the drawings of a character; empty where there is none. */
    private byte[][] drawAll(int i) {
      return IntStream.range(fromFace, toFace)
          .mapToObj(face -> drawn[face][i] ? draw(face, i) : new byte[0])
          .toArray(byte[][]::new);
    }

    private void hand(int i, byte[][] drawings, Sink sink) {
      var label = Character.toString(characters[i]).getBytes(UTF_8);
      for (int face = fromFace; face < toFace; face++) {
        if (drawings[face - fromFace].length > 0) {
          sink.image(drawings[face - fromFace], faces.get(face).name(), label);
        }
      }
    }
  }
}

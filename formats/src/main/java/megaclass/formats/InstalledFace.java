// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import java.awt.Color;
import java.awt.Font;
import java.awt.GraphicsEnvironment;
import java.awt.RenderingHints;
import java.awt.font.FontRenderContext;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** A face of a font that the system has. */
public final class InstalledFace implements GlyphFace {
  /** Faces with fewer Han characters have them by the way: as numbers or in brackets. */
  private static final int MIN_CHARACTERS = 1000;

  /** Fonts that Java puts together from others. */
  private static final Set<String> LOGICAL =
      Set.of("Dialog", "DialogInput", "Monospaced", "SansSerif", "Serif");

  /** Share of the image that an em takes: characters in a box, as most are, keep a margin. */
  private static final float EM = 0.92f;

  private final Font font;
  private final String name;

  private InstalledFace(Font font) {
    this.font = font;
    this.name = font.getFontName(Locale.ROOT);
  }

  /** All installed faces that have Han characters, in the order of their names. */
  public static List<InstalledFace> ofHan() {
    var fonts = GraphicsEnvironment.getLocalGraphicsEnvironment().getAllFonts();
    return Arrays.stream(fonts)
        .filter(font -> !LOGICAL.contains(font.getFamily(Locale.ROOT)))
        .map(InstalledFace::new)
        .filter(
            face ->
                GlyphPlan.han().filter(face::has).limit(MIN_CHARACTERS).count() == MIN_CHARACTERS)
        .sorted(Comparator.comparing(InstalledFace::name))
        .toList();
  }

  @Override
  public String name() {
    return name;
  }

  /** Whether the name is that of a pattern, in which {@code *} stands for anything. */
  public boolean matches(String glob) {
    var regex =
        Arrays.stream(glob.split("\\*", -1)).map(Pattern::quote).reduce((a, b) -> a + ".*" + b);
    return Pattern.compile(regex.orElse(""), Pattern.CASE_INSENSITIVE).matcher(name).matches();
  }

  @Override
  public boolean has(int codePoint) {
    return font.canDisplay(codePoint);
  }

  @Override
  public byte[] draw(int codePoint, int size) {
    var image = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
    var graphics = image.createGraphics();
    try {
      graphics.setRenderingHint(
          RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
      graphics.setColor(Color.WHITE);
      var context = new FontRenderContext(null, true, false);
      var glyph =
          font.deriveFont(EM * size).createGlyphVector(context, Character.toString(codePoint));
      var ink = glyph.getPixelBounds(context, 0, 0);
      graphics.drawGlyphVector(
          glyph, (size - ink.width) / 2 - ink.x, (size - ink.height) / 2 - ink.y);
    } finally {
      graphics.dispose();
    }
    var pixels = new byte[size * size];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) image.getRGB(i % size, i / size);
    }
    return pixels;
  }
}

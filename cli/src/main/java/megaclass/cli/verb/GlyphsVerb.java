// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import megaclass.cli.Arguments;
import megaclass.cli.Console;
import megaclass.cli.ExitCode;
import megaclass.cli.UsageException;
import megaclass.cli.Verb;
import megaclass.cli.run.RunLog;
import megaclass.cli.settings.OutputSettings;
import megaclass.cli.settings.Question;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Setting;
import megaclass.cli.settings.Settings;
import megaclass.cli.source.Sources;
import megaclass.data.Conversion;
import megaclass.data.ExampleSource;
import megaclass.data.Labels;
import megaclass.formats.GlyphPlan;
import megaclass.formats.InstalledFace;
import megaclass.internal.Check;

/** {@code megaclass glyphs}: images of Han characters, drawn with the fonts of the machine. */
public final class GlyphsVerb implements Verb {
  private static final String PACKAGES =
      "fonts-droid-fallback fonts-wqy-microhei fonts-wqy-zenhei fonts-arphic-ukai"
          + " fonts-arphic-uming fonts-arphic-gbsn00lp fonts-arphic-gkai00mp fonts-ipafont";

  private static final Setting<Integer> SIZE =
      Setting.integer("", "--size")
          .in(Question.FROM_WHAT, "PIXELS")
          .by("28")
          .about("height and width of the images")
          .checked(size -> Check.inRange("size (pixels)", size, 8, 512));

  private static final Setting<String> FONTS =
      Setting.text("", "--fonts")
          .in(Question.FROM_WHAT, "GLOB")
          .by("*")
          .about("names of the faces to draw with");

  private static final Setting<Integer> MIN_FACES =
      Setting.integer("", "--min-faces")
          .in(Question.FROM_WHAT, "NUMBER")
          .by("5")
          .about("leave out characters that look different in fewer faces")
          .checked(faces -> Check.positive("minFaces", faces));

  private static final Setting<String> HELD_OUT_FONTS =
      Setting.text("", "--held-out-fonts")
          .in(Question.OUTPUT, "GLOB")
          .about("draw with these faces for a test of identification only, into OUT-fonts.mcd");

  private static final Setting<Double> HELD_OUT_CHARACTERS =
      Setting.number("", "--held-out-characters")
          .in(Question.OUTPUT, "SHARE")
          .by("0")
          .about("so many characters are for a test of verification, in OUT-characters.mcd")
          .checked(share -> Check.inRightOpenRange("heldOutCharacters", share, 0, 1));

  @Override
  public String name() {
    return "glyphs";
  }

  @Override
  public String summary() {
    return "draw Han characters with installed fonts: images of 20 000 classes and more";
  }

  @Override
  public List<String> synopses() {
    return List.of("glyphs OUT.mcd [flags]");
  }

  @Override
  public List<Setting<?>> flags() {
    return List.of(
        SIZE,
        FONTS,
        MIN_FACES,
        HELD_OUT_FONTS,
        HELD_OUT_CHARACTERS,
        RunSettings.SEED,
        OutputSettings.LOG);
  }

  @Override
  public List<String> examples() {
    return List.of(
        "megaclass glyphs glyphs.mcd",
        "megaclass glyphs glyphs.mcd --held-out-fonts \"*Kai*\" --held-out-characters 0.1");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    String out = arguments.word("the .mcd file to write");
    if (!Sources.isConverted(out)) {
      throw new UsageException("expected the .mcd file to write, but got " + out);
    }
    var settings = arguments.settings(flags());
    var listener = new PreparationLog(new RunLog(console, settings.get(OutputSettings.LOG)));
    var plan = plan(settings);
    String stem = out.substring(0, out.length() - Sources.CONVERTED.length());
    try (var labels = new Labels.Builder()) {
      write(plan.train(), out, labels, console, listener);
      if (!settings.get(HELD_OUT_FONTS).isEmpty()) {
        write(plan.heldOutFaces(), stem + "-fonts.mcd", labels, console, listener);
      }
    }
    if (settings.get(HELD_OUT_CHARACTERS) > 0) {
      try (var others = new Labels.Builder()) {
        write(plan.heldOutCharacters(), stem + "-characters.mcd", others, console, listener);
      }
    }
    return ExitCode.DONE;
  }

  private static GlyphPlan plan(Settings settings) {
    var train = new ArrayList<InstalledFace>();
    var held = new ArrayList<InstalledFace>();
    String heldOut = settings.get(HELD_OUT_FONTS);
    for (var face : InstalledFace.ofHan()) {
      if (!heldOut.isEmpty() && face.matches(heldOut)) {
        held.add(face);
      } else if (face.matches(settings.get(FONTS))) {
        train.add(face);
      }
    }
    int minFaces = settings.get(MIN_FACES);
    if (train.size() < minFaces) {
      throw new UsageException(
          "found %d faces with Han characters to learn from, but --min-faces asks for %d; install fonts, on Debian for instance %s, or ask for fewer"
              .formatted(train.size(), minFaces, PACKAGES));
    }
    if (!heldOut.isEmpty() && held.isEmpty()) {
      throw new UsageException(
          "--held-out-fonts %s names none of the faces with Han characters; there are %s"
              .formatted(heldOut, train.stream().map(InstalledFace::name).toList()));
    }
    var faces = new ArrayList<>(train);
    faces.addAll(held);
    var what =
        new GlyphPlan.Settings(
            settings.get(SIZE),
            minFaces,
            settings.get(HELD_OUT_CHARACTERS),
            settings.get(RunSettings.SEED));
    return GlyphPlan.of(faces, train.size(), what, GlyphPlan.han());
  }

  private static void write(
      ExampleSource source,
      String out,
      Labels.Builder labels,
      Console console,
      PreparationLog listener) {
    long start = System.nanoTime();
    listener.converting(source.description(), Path.of(out));
    var result = Conversion.whole(source, console.path(out), labels);
    listener.converted(result, (System.nanoTime() - start) * 1e-9);
  }
}

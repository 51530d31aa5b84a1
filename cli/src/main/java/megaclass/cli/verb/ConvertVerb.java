// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import megaclass.cli.Arguments;
import megaclass.cli.Console;
import megaclass.cli.ExitCode;
import megaclass.cli.UsageException;
import megaclass.cli.Verb;
import megaclass.cli.run.RunLog;
import megaclass.cli.settings.ImageSettings;
import megaclass.cli.settings.OutputSettings;
import megaclass.cli.settings.Question;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Setting;
import megaclass.cli.settings.Settings;
import megaclass.cli.source.ImageChoice;
import megaclass.cli.source.Sources;
import megaclass.cli.text.Quantity;
import megaclass.data.Conversion;
import megaclass.data.Dataset;
import megaclass.data.ExampleSource;
import megaclass.data.Labels;
import megaclass.formats.ImageSource;
import megaclass.formats.PairFile;
import megaclass.internal.SectionFile;

/** {@code megaclass convert}: any source to {@code .mcd}. */
public final class ConvertVerb implements Verb {
  static final Setting<String> TEST =
      Setting.text("", "--test")
          .in(Question.OUTPUT, "FILE.mcd")
          .about("hold examples out and write them there, with the same classes");

  private static final Setting<String> CLASSES_OF =
      Setting.text("", "--classes-of")
          .in(Question.OUTPUT, "FILE")
          .about("take the class ids of this .mcd or .mcm file; new classes follow them");

  @Override
  public String name() {
    return "convert";
  }

  @Override
  public String summary() {
    return "turn examples into a .mcd file, which training maps";
  }

  @Override
  public List<String> synopses() {
    return List.of(
        "convert PAIRS.tsv OUT.mcd               a label, a tab and a text in each line",
        "convert FEATURES.npy LABELS.txt OUT.mcd",
        "convert FOLDER OUT.mcd --image CxHxW    images, in a folder for each class",
        "convert LIST.lst OUT.mcd --image CxHxW  a path, a tab and a label in each line",
        "convert TRAIN.rec OUT.mcd               a training set of InsightFace",
        "convert LFW.bin OUT.mcd                 its verification set; writes OUT.pairs.tsv, too",
        "convert lemmas:GROUP:ARTIFACT:VERSION OUT.mcd");
  }

  @Override
  public List<Setting<?>> flags() {
    return List.of(
        TEST,
        CLASSES_OF,
        RunSettings.TEST_SHARE,
        RunSettings.MIN_EXAMPLES_PER_CLASS,
        RunSettings.SEED,
        RunSettings.DATA_FOLDER,
        ImageSettings.IMAGE,
        ImageSettings.IMAGE_RESIZE,
        ImageSettings.BAD_IMAGES,
        ImageSettings.CLASS_DEPTH,
        OutputSettings.LOG);
  }

  @Override
  public List<String> examples() {
    return List.of(
        "megaclass convert pairs.tsv train.mcd --test test.mcd --test-share 0.1",
        "megaclass convert photos train.mcd --image 3x112x112",
        "megaclass convert lemmas:org.carrot2:morfologik-polish:2.1.9 lemmas.mcd");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    var words = new ArrayList<>(arguments.words());
    if (words.size() < 2 || !Sources.isConverted(words.getLast())) {
      throw new UsageException(
          "expected a source and the .mcd file to write, but got "
              + (words.isEmpty() ? "nothing" : String.join(" ", words)));
    }
    String out = words.removeLast();
    var settings = arguments.settings(flags());
    var listener = new PreparationLog(new RunLog(console, settings.get(OutputSettings.LOG)));
    var folder = console.path(settings.get(RunSettings.DATA_FOLDER));
    var source = Sources.open(words, ImageChoice.of(settings), folder, console, listener);
    long start = System.nanoTime();
    listener.converting(String.join(" ", words), Path.of(out));
    var result = convert(source, console.path(out), settings, console);
    listener.converted(result, (System.nanoTime() - start) * 1e-9);
    Sources.tellSkipped(source, listener);
    if (source instanceof ImageSource images && images.catalogue() instanceof PairFile pairs) {
      writePairs(pairs, out, console);
    }
    return ExitCode.DONE;
  }

  private static void writePairs(PairFile pairs, String out, Console console) {
    String file = out.substring(0, out.length() - Sources.CONVERTED.length()) + ".pairs.tsv";
    try (var data = Dataset.open(console.path(out))) {
      long written = pairs.writePairs(data, console.path(file));
      console.err().println("pairs     " + file + "   " + Quantity.count(written) + " pairs");
    }
  }

  private static Conversion.Result convert(
      ExampleSource source, Path out, Settings settings, Console console) {
    String test = settings.get(TEST);
    String classesOf = settings.get(CLASSES_OF);
    if (!classesOf.isEmpty()) {
      if (!test.isEmpty()) {
        throw new UsageException("--classes-of and --test exclude each other; give one of them");
      }
      return withClassesOf(console.path(classesOf), source, out);
    }
    var conversion =
        new Conversion(
            settings.get(RunSettings.TEST_SHARE),
            settings.get(RunSettings.MIN_EXAMPLES_PER_CLASS),
            settings.get(RunSettings.SEED));
    return test.isEmpty()
        ? Conversion.whole(source, out)
        : conversion.split(source, out, console.path(test));
  }

  private static Conversion.Result withClassesOf(Path file, ExampleSource source, Path out) {
    try (var arena = Arena.ofShared()) {
      var known = SectionFile.open(file, SectionFile.kindOf(file), Integer.MAX_VALUE, arena);
      try (var labels = new Labels.Builder(Labels.read(known))) {
        return Conversion.whole(source, out, labels);
      }
    }
  }
}

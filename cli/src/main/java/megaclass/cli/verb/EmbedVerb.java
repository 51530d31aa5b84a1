// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import megaclass.cli.Arguments;
import megaclass.cli.Console;
import megaclass.cli.ExitCode;
import megaclass.cli.UsageException;
import megaclass.cli.Verb;
import megaclass.cli.run.Message;
import megaclass.cli.run.OpenSetMessage;
import megaclass.cli.run.RunLog;
import megaclass.cli.settings.OutputSettings;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Setting;
import megaclass.cli.source.Sources;
import megaclass.data.Dataset;
import megaclass.internal.AtomicFiles;
import megaclass.internal.FileBytes;
import megaclass.model.Classifier;
import megaclass.openset.EmbeddingFormat;
import megaclass.openset.EmbeddingSet;

/** {@code megaclass embed}: the embeddings that a model makes of examples, as a file. */
public final class EmbedVerb implements Verb {
  private static final String NPY = ".npy";
  private static final int LABELS_A_WRITE = 10_000;

  @Override
  public String name() {
    return "embed";
  }

  @Override
  public String summary() {
    return "write the embeddings that a model makes of examples";
  }

  @Override
  public List<String> synopses() {
    return List.of(
        "embed MODEL DATA.mcd OUT.npy       MODEL: a .mcm file or the folder of a run",
        "embed MODEL DATA.mcd OUT.parquet   with names and labels",
        "embed MODEL PAIRS.tsv OUT.npy",
        "embed MODEL FEATURES.npy LABELS.txt OUT.npy");
  }

  @Override
  public List<Setting<?>> flags() {
    return List.of(RunSettings.THREADS, RunSettings.BACKEND, OutputSettings.LOG);
  }

  @Override
  public List<String> examples() {
    return List.of(
        "megaclass embed runs/lemmas data/morfologik-polish-2.1.9-test.mcd test.npy",
        "megaclass embed runs/lemmas/model.mcm more.tsv more.parquet");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    var words = arguments.words();
    if (words.size() < 3) {
      throw new UsageException(
          "expected a model, data and the .npy or .parquet file to write, but got "
              + (words.isEmpty() ? "nothing" : String.join(" ", words)));
    }
    var form = form(words.getLast());
    var settings = arguments.settings(flags());
    var log = new RunLog(console, settings.get(OutputSettings.LOG));
    try (var classifier = ModelArgument.load(words.getFirst(), settings, console);
        var data = open(words.subList(1, words.size() - 1), classifier, console, log)) {
      long start = System.nanoTime();
      try (var embeddings = classifier.embed(data)) {
        log.say(OpenSetMessage.embedded(embeddings, (System.nanoTime() - start) * 1e-9));
        log.say(form.write(embeddings, data, console.path(words.getLast())));
      }
    }
    return ExitCode.DONE;
  }

  /** Writes embeddings to a file, and says what was written. */
  private interface Form {
    Message write(EmbeddingSet embeddings, Dataset data, Path file);
  }

  /** What the end of the file's name asks for. */
  private static Form form(String file) {
    var name = file.toLowerCase(Locale.ROOT);
    if (name.endsWith(NPY)) {
      return EmbedVerb::writeArray;
    }
    for (var format : ServiceLoader.load(EmbeddingFormat.class, EmbedVerb.class.getClassLoader())) {
      if (name.endsWith(format.suffix())) {
        return (embeddings, data, path) -> writeTable(format, embeddings, data, path);
      }
    }
    throw new UsageException(
        "embeddings are written to a .npy or a .parquet file, but the last word is " + file);
  }

  private static Dataset open(
      List<String> words, Classifier classifier, Console console, RunLog log) {
    var listener = new PreparationLog(log);
    return Sources.openDataset(words, ModelArgument.labels(classifier), console, listener);
  }

  /** The labels first: who sees the embeddings has both. */
  private static Message writeArray(EmbeddingSet embeddings, Dataset data, Path file) {
    var name = String.valueOf(file.getFileName());
    var stem = name.substring(0, name.length() - NPY.length());
    var labels = file.resolveSibling(stem + ".labels.txt");
    AtomicFiles.write(
        labels,
        channel -> {
          var lines = new StringBuilder();
          for (int i = 0; i < embeddings.size(); i++) {
            lines.append(data.labels().label(embeddings.classId(i))).append('\n');
            if (i % LABELS_A_WRITE == LABELS_A_WRITE - 1 || i == embeddings.size() - 1) {
              FileBytes.write(channel, ByteBuffer.wrap(lines.toString().getBytes(UTF_8)));
              lines.setLength(0);
            }
          }
        });
    embeddings.save(file);
    return new Message(
        "written",
        Map.of("embeddings", file.toString(), "labels", labels.toString()),
        "written   " + file + " and " + labels);
  }

  /** One file, with the labels in it. */
  private static Message writeTable(
      EmbeddingFormat format, EmbeddingSet embeddings, Dataset data, Path file) {
    AtomicFiles.write(file, channel -> format.write(embeddings, data, channel));
    return new Message("written", Map.of("embeddings", file.toString()), "written   " + file);
  }
}

// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import static java.nio.charset.StandardCharsets.UTF_8;
import static megaclass.cli.text.Quantity.bytes;
import static megaclass.cli.text.Quantity.count;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import megaclass.cli.Arguments;
import megaclass.cli.Console;
import megaclass.cli.ExitCode;
import megaclass.cli.Verb;
import megaclass.cli.run.Message;
import megaclass.cli.run.RunLog;
import megaclass.cli.settings.OutputSettings;
import megaclass.cli.settings.Setting;
import megaclass.data.Labels;
import megaclass.internal.InvalidFileException;
import megaclass.internal.SectionFile;
import megaclass.internal.TextProperties;

/** {@code megaclass inspect}: what is in a file of ours, with all of its checksums verified. */
public final class InspectVerb implements Verb {
  private static final int SHOWN_LABELS = 5;
  private static final String META = "meta";

  @Override
  public String name() {
    return "inspect";
  }

  @Override
  public String summary() {
    return "show what is in a data, model or checkpoint file, and verify it";
  }

  @Override
  public List<String> synopses() {
    return List.of(
        "inspect FILE                     a .mcd, .mcm or .mck file",
        "inspect FOLDER                   all such files in a folder, such as a checkpoint");
  }

  @Override
  public List<Setting<?>> flags() {
    return List.of(OutputSettings.LOG);
  }

  @Override
  public List<String> examples() {
    return List.of(
        "megaclass inspect runs/lemmas/model.mcm",
        "megaclass inspect data/morfologik-polish-2.1.9-train.mcd --log json");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    String word = arguments.word("a file or folder to inspect");
    var settings = arguments.settings(flags());
    var log = new RunLog(console, settings.get(OutputSettings.LOG));
    for (var file : files(console.path(word), word)) {
      log.say(inspect(file));
    }
    return ExitCode.DONE;
  }

  private static List<Path> files(Path path, String word) {
    if (!Files.isDirectory(path)) {
      return List.of(path);
    }
    try (var entries = Files.walk(path)) {
      var files =
          entries.filter(entry -> entry.toString().matches(".*\\.mc[dmk]")).sorted().toList();
      if (files.isEmpty()) {
        throw new InvalidFileException(Path.of(word), "has no .mcd, .mcm or .mck file in it");
      }
      return files;
    } catch (IOException e) {
      throw new InvalidFileException(path, e);
    }
  }

  private static Message inspect(Path path) {
    String kind = SectionFile.kindOf(path);
    try (var arena = Arena.ofShared()) {
      var file = SectionFile.open(path, kind, Integer.MAX_VALUE, arena);
      var fields = new LinkedHashMap<String, Object>();
      fields.put("file", path.toString());
      fields.put("kind", kindName(kind));
      fields.put("version", file.version());
      fields.put("bytes", file.length());
      fields.put("meta", meta(file));
      fields.put("sections", file.sections().stream().map(InspectVerb::fields).toList());
      if (file.has("labels.bytes")) {
        var labels = Labels.read(file);
        fields.put("classes", labels.size());
        fields.put("firstLabels", firstLabels(labels));
      }
      return new Message("inspected", fields, text(path, file, fields));
    }
  }

  private static String kindName(String kind) {
    return switch (kind) {
      case "DATA" -> "data";
      case "MODL" -> "model";
      case "CKPT" -> "checkpoint";
      default -> kind;
    };
  }

  private static Map<String, String> meta(SectionFile file) {
    return file.has(META)
        ? TextProperties.parse(new String(file.section(META).toArray(ValueLayout.JAVA_BYTE), UTF_8))
        : Map.of();
  }

  private static List<String> firstLabels(Labels labels) {
    int shown = Math.min(SHOWN_LABELS, labels.size());
    return IntStream.range(0, shown).mapToObj(labels::label).toList();
  }

  private static Map<String, Object> fields(SectionFile.SectionInfo section) {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("name", section.name());
    fields.put("offset", section.offset());
    fields.put("bytes", section.length());
    fields.put("crc32c", checksum(section));
    return fields;
  }

  private static String checksum(SectionFile.SectionInfo section) {
    return "%08x".formatted(section.checksum());
  }

  private static String text(Path path, SectionFile file, Map<String, Object> fields) {
    var lines = new ArrayList<String>();
    lines.add(
        "%s   %s file, version %d   %s   all checksums match"
            .formatted(path, fields.get("kind"), file.version(), bytes(file.length())));
    meta(file).forEach((name, value) -> lines.add("  %-32s %s".formatted(name, value)));
    if (fields.get("firstLabels") instanceof List<?> labels
        && fields.get("classes") instanceof Integer classes) {
      lines.add("  %-32s %s: %s, ...".formatted("labels", count(classes), labels(labels)));
    }
    lines.add("  %-24s %14s  %s".formatted("section", "bytes", "crc32c"));
    for (var section : file.sections()) {
      lines.add(
          "  %-24s %14s  %s".formatted(section.name(), count(section.length()), checksum(section)));
    }
    return String.join("\n", lines);
  }

  private static String labels(List<?> labels) {
    return String.join(", ", labels.stream().map(String::valueOf).toList());
  }
}

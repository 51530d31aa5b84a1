// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A file of kernels in CUDA C++, with the header that all of them include.
 *
 * @param name of the file, without ".cu"
 * @param header the text of {@link #HEADER}
 */
record KernelSource(String name, String text, String header) {
  /** The only file that a kernel may include. */
  static final String HEADER = "common.cuh";

  private static final Pattern COMMENT = Pattern.compile("//[^\n]*|(?s:/\\*.*?\\*/)");

  /** A kernel begins on one line: so says the head of {@link #HEADER}. */
  private static final Pattern KERNEL =
      Pattern.compile("extern \"C\" __global__ void (\\w+)\\(([^)]*)\\)");

  /**
   * Reads a file that is shipped with this module.
   *
   * @throws IllegalArgumentException when there is none of that name
   */
  static KernelSource read(String name) {
    byte[] text = resource(name + ".cu");
    byte[] header = resource(HEADER);
    if (text == null || header == null) {
      throw new IllegalArgumentException("there is no file of kernels " + name + ".cu");
    }
    return new KernelSource(name, new String(text, UTF_8), new String(header, UTF_8));
  }

  /** A file beside this class; null when there is none. */
  static byte @Nullable [] resource(String file) {
    try (var stream = KernelSource.class.getResourceAsStream(file)) {
      return stream == null ? null : stream.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  String fileName() {
    return name + ".cu";
  }

  /** The kernels of this file, by name, in the order of the file. */
  Map<String, Signature> kernels() {
    var kernels = new LinkedHashMap<String, Signature>();
    var code = COMMENT.matcher(text).replaceAll(" ");
    KERNEL
        .matcher(code)
        .results()
        .forEach(kernel -> kernels.put(kernel.group(1), Signature.parse(kernel.group(2))));
    return kernels;
  }

  /**
   * The parameters of one kernel.
   *
   * @throws IllegalArgumentException when this file has no such kernel
   */
  Signature signature(String kernel) {
    var kernels = kernels();
    var signature = kernels.get(kernel);
    if (signature == null) {
      throw new IllegalArgumentException(
          fileName() + " has no kernel " + kernel + "; it has " + kernels.keySet());
    }
    return signature;
  }

  /**
   * What a kernel takes.
   *
   * @param parameters the types of its parameters, as written, without their names
   */
  record Signature(List<String> parameters) {
    private static Signature parse(String parameters) {
      return new Signature(
          Stream.of(parameters.strip().split("\\s*,\\s*"))
              .filter(parameter -> !parameter.isEmpty())
              .map(parameter -> parameter.replaceFirst("\\s*\\w+$", "").replaceAll("\\s+", " "))
              .toList());
    }

    /**
     * Requires one argument for each parameter, and that it fits.
     *
     * @param arguments as {@link Kernel#launch} takes them
     * @throws IllegalArgumentException when not
     */
    void check(String kernel, long... arguments) {
      if (arguments.length != parameters.size()) {
        throw new IllegalArgumentException(
            "%s takes %d arguments, but was given %d"
                .formatted(kernel, parameters.size(), arguments.length));
      }
      for (int i = 0; i < arguments.length; i++) {
        if (!fits(parameters.get(i), arguments[i])) {
          throw new IllegalArgumentException(
              "argument %d of %s is %s and cannot hold %d"
                  .formatted(i, kernel, parameters.get(i), arguments[i]));
        }
      }
    }

    private static boolean fits(String type, long argument) {
      return switch (type) {
        case "int" -> argument == (int) argument;
        case "unsigned" -> argument >= Integer.MIN_VALUE && argument <= 0xffffffffL;
        case "float" -> argument == Integer.toUnsignedLong((int) argument);
        default -> true;
      };
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import module java.base;

/**
 * Runs google-java-format over all Java files below the current folder. {@code check} names those
 * that it would change and leaves their list in REPORT, over which the build then fails; {@code
 * write} changes them.
 */
void main(String[] args) throws IOException {
  if (args.length != 2 || !List.of("check", "write").contains(args[0])) {
    System.err.println("usage: Format check|write REPORT, but was " + List.of(args));
    System.exit(2);
  }
  boolean write = args[0].equals("write");
  var report = Path.of(args[1]);
  Files.deleteIfExists(report);

  var command = new ArrayList<>(List.of(write ? "--replace" : "--dry-run"));
  command.addAll(javaFiles());
  var formatter = ToolProvider.findFirst("google-java-format").orElseThrow();
  var wrong = new StringWriter();
  var errors = new PrintWriter(System.err, true);
  int status = formatter.run(new PrintWriter(wrong), errors, command.toArray(String[]::new));
  if (!wrong.toString().isBlank()) {
    System.err.print("not in google-java-format:\n" + wrong);
    Files.writeString(report, wrong.toString());
  }
  System.exit(status);
}

List<String> javaFiles() throws IOException {
  try (var paths = Files.walk(Path.of(""))) {
    return paths
        .map(Path::toString)
        .filter(path -> path.endsWith(".java"))
        .filter(path -> !path.contains("target" + File.separator))
        .toList();
  }
}

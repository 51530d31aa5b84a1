// SPDX-License-Identifier: Apache-2.0
package megaclass;

import com.sun.source.tree.BlockTree;
import com.sun.source.tree.CatchTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.EmptyStatementTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import javax.lang.model.element.Modifier;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/**
 * The rules of the house that a script can check, over one Java file: what CONTRIBUTING.md asks of
 * every file, and the compiler does not. A complaint reads "FILE:LINE: what is wrong".
 */
final class HouseRules {
  private static final String SPDX = "// SPDX-License-Identifier: Apache-2.0";
  private static final int MAX_FILE_LINES = 400;
  private static final int MAX_KERNEL_FILE_LINES = 800;
  private static final int MAX_METHOD_LINES = 60;

  /** A kernel is one flat method, see GemmWide. */
  private static final int MAX_KERNEL_METHOD_LINES = 80;

  private static final int MAX_STEP_LINES = 20;
  private static final int MAX_CONSTRUCTOR_PARAMETERS = 4;

  /** A note to do something, without the number of its issue. */
  private static final Pattern UNNUMBERED_NOTE =
      Pattern.compile("\\b(TO" + "DO|FIX" + "ME)\\b(?!.*#\\d)");

  private static final Pattern END_OF_SENTENCE = Pattern.compile("[.](\\s|$)");

  private final String path;
  private final String text;
  private final List<String> complaints = new ArrayList<>();

  private HouseRules(String path, String text) {
    this.path = path;
    this.text = text;
  }

  /**
   * What is wrong in one file.
   *
   * @param path from the root of the repository, with {@code /} between folders
   * @param text the whole file
   */
  static List<String> complaints(String path, String text) {
    var rules = new HouseRules(path, text);
    rules.checkLines();
    rules.checkTree();
    if (path.endsWith("/package-info.java")) {
      rules.checkPackageInfo();
    }
    return rules.complaints;
  }

  private boolean isKernel() {
    return path.contains("core/src/main/java/megaclass/compute/");
  }

  private void complain(long line, String what) {
    complaints.add(path + ":" + line + ": " + what);
  }

  private void checkLines() {
    var lines = text.lines().toList();
    if (lines.isEmpty() || !lines.getFirst().equals(SPDX)) {
      complain(1, "the first line must be " + SPDX);
    }
    int maxLines = isKernel() ? MAX_KERNEL_FILE_LINES : MAX_FILE_LINES;
    if (lines.size() > maxLines) {
      complain(
          lines.size(), "a file has at most " + maxLines + " lines, but this has " + lines.size());
    }
    for (int i = 0; i < lines.size(); i++) {
      if (UNNUMBERED_NOTE.matcher(lines.get(i)).find()) {
        complain(i + 1, "a note to do something must name its issue, as in \"#12\"");
      }
    }
  }

  private void checkPackageInfo() {
    if (!text.contains("\n@NullMarked\n")) {
      complain(1, "package-info must have @NullMarked");
    }
    int from = text.indexOf("/**");
    int to = text.indexOf("*/");
    var job = from < 0 || to < 0 ? "" : text.substring(from, to);
    if (END_OF_SENTENCE.matcher(job).results().count() < 2) {
      complain(1, "package-info must tell the job of the package in two sentences");
    }
  }

  private void checkTree() {
    var compiler = ToolProvider.getSystemJavaCompiler();
    var source =
        new SimpleJavaFileObject(URI.create("string:///" + path), JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
          }
        };
    var task = (JavacTask) compiler.getTask(null, null, null, null, null, List.of(source));
    try {
      for (var unit : task.parse()) {
        new TreeRules(unit, Trees.instance(task)).scan(unit, null);
      }
    } catch (IOException e) {
      throw new IllegalStateException("cannot parse " + path, e);
    }
  }

  /** The rules that need to know what is a method, a call or a catch. */
  private final class TreeRules extends TreePathScanner<@Nullable Void, @Nullable Void> {
    private final CompilationUnitTree unit;
    private final Trees trees;

    TreeRules(CompilationUnitTree unit, Trees trees) {
      this.unit = unit;
      this.trees = trees;
    }

    @Override
    public @Nullable Void visitMethodInvocation(MethodInvocationTree call, @Nullable Void unused) {
      String called = call.getMethodSelect().toString();
      if (called.equals("System.exit") && !path.endsWith("/Main.java")) {
        complain(line(call), "only Main may call System.exit; return an exit code or throw");
      }
      if (called.equals("System.setProperty")) {
        complain(line(call), "System.setProperty is a hidden switch; pass a value");
      }
      if (called.endsWith(".printStackTrace")) {
        complain(line(call), "printStackTrace hides an error from the caller; throw it");
      }
      return super.visitMethodInvocation(call, null);
    }

    @Override
    public @Nullable Void visitCatch(CatchTree handler, @Nullable Void unused) {
      if (isEmpty(handler.getBlock())) {
        complain(line(handler), "this catch swallows the error; handle it or let it pass");
      }
      return super.visitCatch(handler, null);
    }

    @Override
    public @Nullable Void visitMethod(MethodTree method, @Nullable Void unused) {
      if (method.getBody() != null) {
        boolean step = path.endsWith("/TrainLoop.java") && method.getName().contentEquals("step");
        int maxLines =
            step ? MAX_STEP_LINES : isKernel() ? MAX_KERNEL_METHOD_LINES : MAX_METHOD_LINES;
        long lines = lastLine(method.getBody()) - line(method) + 1;
        if (lines > maxLines) {
          complain(
              line(method),
              "%s has %d lines, but at most %d are allowed"
                  .formatted(method.getName(), lines, maxLines));
        }
      }
      checkConstructor(method);
      return super.visitMethod(method, null);
    }

    private void checkConstructor(MethodTree method) {
      // In a record the parameters are the components, and users change them by name: withX.
      var owner = (ClassTree) getCurrentPath().getParentPath().getLeaf();
      int parameters = method.getParameters().size();
      if (method.getName().contentEquals("<init>")
          && owner.getKind() != Tree.Kind.RECORD
          && method.getModifiers().getFlags().contains(Modifier.PUBLIC)
          && parameters > MAX_CONSTRUCTOR_PARAMETERS) {
        complain(
            line(method),
            "a public constructor has at most %d parameters, but this has %d; take a record"
                .formatted(MAX_CONSTRUCTOR_PARAMETERS, parameters));
      }
    }

    private boolean isEmpty(BlockTree block) {
      return block.getStatements().stream().allMatch(s -> s instanceof EmptyStatementTree);
    }

    private long line(Tree tree) {
      return unit.getLineMap()
          .getLineNumber(trees.getSourcePositions().getStartPosition(unit, tree));
    }

    private long lastLine(Tree tree) {
      return unit.getLineMap().getLineNumber(trees.getSourcePositions().getEndPosition(unit, tree));
    }
  }
}

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.LocalDateTime;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes the wheels of a Python package: one as flit would for the same {@code pyproject.toml}, and one with the jar in it,
 * with nothing but the JDK: the build needs neither Python nor a package index. {@code PythonPackageIT} compares the first with flit's. The same sources give the same bytes.
 *
 * <p>{@code java Wheel.java PROJECT LICENSE VERSION TARGET JAR PLATFORM PYSPARK LINE}: folder of {@code pyproject.toml}, file, Maven's
 * version, folder, and for a second wheel, in {@code TARGET/install}, which carries the jar: file, platform tag, versions of PySpark that
 * the jar runs on, and what the wheel's version ends with ({@code +spark4}, or nothing).
 */
final class Wheel {
    /** The first moment that a zip can tell. */
    private static final LocalDateTime LONG_AGO = LocalDateTime.of(1980, 1, 1, 0, 0);

    /** The script that the package installs. */
    private static final String COMMAND = "spark-qlora";

    /** Where the package looks for the jar that its wheel carries. */
    private static final String JAR = "sparkqlora/spark-qlora.jar";

    private final Map<String, byte[]> files = new TreeMap<>();
    private final String project;
    private final String tag;
    private final String pyspark;
    private final String version;
    private final String distribution;

    /** @param pyspark versions of PySpark that the extra takes; null for those of the project */
    private Wheel(String project, String tag, String pyspark, String line) {
        this.project = project;
        this.tag = tag;
        this.pyspark = pyspark;
        this.version = value("version") + line;
        this.distribution = "%s-%s".formatted(value("name"), version);
    }

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        Path license = Path.of(arguments[1]);
        String project = Files.readString(folder.resolve("pyproject.toml"));
        Path target = Path.of(arguments[3]);
        Wheel pure = new Wheel(project, "py3-none-any", null, "");
        pure.requireVersion(arguments[2]);
        pure.write(folder, license, target);
        Wheel whole =
                new Wheel(project, "py3-none-" + arguments[5], arguments[6], arguments.length > 7 ? arguments[7] : "");
        whole.files.put(JAR, Files.readAllBytes(Path.of(arguments[4])));
        whole.write(folder, license, target.resolve("install"));
    }

    private void write(Path folder, Path license, Path target) throws IOException {
        addModules(folder);
        addInformation(Files.readString(folder.resolve("README.md")), Files.readAllBytes(license));
        Files.createDirectories(target);
        try (OutputStream out = Files.newOutputStream(target.resolve("%s-%s.whl".formatted(distribution, tag)))) {
            writeTo(out);
        }
    }

    /** PEP 440 knows no SNAPSHOT. */
    private void requireVersion(String maven) {
        String expected = maven.replace("-SNAPSHOT", ".dev0");
        if (!value("version").equals(expected)) {
            throw new IllegalArgumentException(
                    "Cannot build the wheel: expected version %s in pyproject.toml, as pom.xml has %s, found %s"
                            .formatted(expected, maven, value("version")));
        }
    }

    private void addModules(Path folder) throws IOException {
        try (Stream<Path> found = Files.walk(folder.resolve(value("name")))) {
            for (Path file : found.filter(Wheel::belongs).toList()) {
                files.put(folder.relativize(file).toString().replace('\\', '/'), Files.readAllBytes(file));
            }
        }
    }

    private static boolean belongs(Path file) {
        return Files.isRegularFile(file) && !file.toString().contains("__pycache__");
    }

    private void addInformation(String readme, byte[] license) {
        String folder = distribution + ".dist-info/";
        files.put(folder + "METADATA", utf8(metadata() + "\n" + readme + "\n"));
        files.put(
                folder + "WHEEL",
                utf8("Wheel-Version: 1.0\nGenerator: spark-qlora\nRoot-Is-Purelib: %b\nTag: %s\n"
                        .formatted(pyspark == null, tag)));
        files.put(folder + "licenses/LICENSE", license);
        files.put(folder + "entry_points.txt", utf8("[console_scripts]\n%s=%s\n\n".formatted(COMMAND, value(COMMAND))));
        StringBuilder record = new StringBuilder();
        files.forEach(
                (name, content) -> record.append("%s,sha256=%s,%d\n".formatted(name, hash(content), content.length)));
        files.put(folder + "RECORD", utf8(record + folder + "RECORD,,\n"));
    }

    private String metadata() {
        StringBuilder text = new StringBuilder("Metadata-Version: 2.4\n");
        text.append("Name: %s\nVersion: %s\nSummary: %s\n".formatted(value("name"), version, value("description")));
        text.append("Requires-Python: %s\n".formatted(value("requires-python")));
        text.append("Description-Content-Type: text/markdown\n");
        text.append("License-Expression: %s\nLicense-File: LICENSE\n".formatted(value("license")));
        list("dependencies").forEach(each -> text.append("Requires-Dist: %s\n".formatted(each)));
        extra("notebooks", list("notebooks"), text);
        extra("spark", pyspark == null ? list("spark") : List.of(pyspark), text);
        return text.append("Provides-Extra: notebooks\nProvides-Extra: spark\n").toString();
    }

    private static void extra(String name, List<String> distributions, StringBuilder text) {
        distributions.forEach(each -> text.append("Requires-Dist: %s ; extra == \"%s\"\n".formatted(each, name)));
    }

    private void writeTo(OutputStream out) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                ZipEntry entry = new ZipEntry(file.getKey());
                entry.setTimeLocal(LONG_AGO);
                if (file.getKey().equals(JAR)) {
                    store(entry, file.getValue());
                }

                zip.putNextEntry(entry);
                zip.write(file.getValue());
                zip.closeEntry();
            }
        }
    }

    /** A jar is compressed already. */
    private static void store(ZipEntry entry, byte[] content) {
        CRC32 sum = new CRC32();
        sum.update(content);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(sum.getValue());
    }

    /** The text of a key that stands once in the file, as all that are asked for do. */
    private String value(String key) {
        return only(key, "\"([^\"]*)\"");
    }

    private List<String> list(String key) {
        return Pattern.compile("\"([^\"]*)\"")
                .matcher(only(key, "\\[([^\\]]*)\\]"))
                .results()
                .map(text -> text.group(1))
                .toList();
    }

    private String only(String key, String form) {
        Matcher found = Pattern.compile("(?m)^%s = %s$".formatted(key, form)).matcher(project);
        if (!found.find()) {
            throw new IllegalArgumentException(
                    "Cannot build the wheel: expected a line '%s = ...' of the form %s in pyproject.toml, found none"
                            .formatted(key, form));
        }

        return found.group(1);
    }

    /** As RECORD wants it. */
    private static String hash(byte[] content) {
        try {
            byte[] sum = MessageDigest.getInstance("SHA-256").digest(content);
            return Base64.getUrlEncoder().withoutPadding().encodeToString(sum);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256", e);
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

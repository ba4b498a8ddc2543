package org.sparkqlora.checkpoint;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.storage.Removal;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.storage.WholeFile;
import org.sparkqlora.weights.safetensors.SafetensorsLayout;
import org.sparkqlora.weights.safetensors.ShardIndexJson;

/**
 * A result where others take it from, on any Hadoop file system. Files are copied and read back; {@code published.json}, written
 * last, names each with length and SHA-256, so a reader who finds it has all of them. What is published never changes: the same
 * files again change nothing, others are refused.
 *
 * @param files how many it holds
 * @param bytes of all of them
 */
public record PublishedFolder(int files, long bytes) {
    /** Written last, so that a reader who finds it has the rest. */
    public static final String COMMIT = "published.json";

    private static final String SAFETENSORS = ".safetensors";
    private static final String INDEX = SAFETENSORS + ".index.json";

    private static final int BUFFER = 1 << 16;

    /** Makes {@code target} of the files in {@code source}, which holds no folders; where an earlier copy ended, it is made anew. */
    public static PublishedFolder write(FileSystem from, Path source, FileSystem to, Path target) {
        try {
            return new Copy(from, source, to, target).run();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to publish %s as %s".formatted(source, target), e);
        }
    }

    /** Which files an adapter or a model in Hugging Face layout has. */
    private static final class Layout {
        private static final Pattern WEIGHTS = Pattern.compile(".*\\.(safetensors|bin|gguf)(\\.index\\.json)?");
        private static final Pattern CONFIG = Pattern.compile("(adapter_)?config\\.json");
        private static final Pattern OTHERS = Pattern.compile(
                ".*\\.(json|jinja|model|tiktoken|md|spm)|(vocab|merges|LICENSE|NOTICE)(\\.txt)?|\\.gitattributes");

        private static void require(Path source, List<String> names) {
            boolean published = names.stream().anyMatch(name -> name.endsWith(".gguf"))
                    || names.stream().anyMatch(name -> CONFIG.matcher(name).matches())
                            && names.stream()
                                    .anyMatch(name -> WEIGHTS.matcher(name).matches());
            if (!published) {
                throw new BadInputException(
                        "Cannot publish %s: expected an adapter or a model (adapter_config.json or config.json, and weights), found %s"
                                .formatted(source, names));
            }

            List<String> stray = names.stream().filter(name -> !belongs(name)).toList();
            if (!stray.isEmpty()) {
                throw new BadInputException(
                        "Cannot publish %s: expected the files of an adapter or a model, found %s too. Move them away"
                                .formatted(source, stray));
            }
        }

        private static boolean belongs(String name) {
            return WEIGHTS.matcher(name).matches() || OTHERS.matcher(name).matches();
        }
    }

    private record Copy(FileSystem from, Path source, FileSystem to, Path target) {
        private PublishedFolder run() throws IOException {
            List<StoredFile> content = content();
            Path commit = new Path(target, COMMIT);
            String text = PublishedJson.write(content);
            if (to.exists(commit)) {
                requireSame(commit, text);
            } else {
                requireNoOther(content);
                for (StoredFile file : content) {
                    copy(file);
                }

                WholeFile.replace(to, commit, text.getBytes(StandardCharsets.UTF_8));
            }

            Removal.filesIn(to, target, name -> isUnfinished(name, content));
            long bytes = content.stream().mapToLong(StoredFile::bytes).sum();
            return new PublishedFolder(content.size(), bytes);
        }

        private List<StoredFile> content() throws IOException {
            List<FileStatus> listed = Arrays.stream(from.listStatus(source))
                    .filter(file -> file.isFile() && !file.getPath().getName().equals(COMMIT))
                    .sorted(Comparator.comparing(FileStatus::getPath))
                    .toList();
            if (listed.isEmpty()) {
                throw new BadInputException(
                        "Cannot publish %s: expected an adapter or a model, found no files".formatted(source));
            }

            List<String> names =
                    listed.stream().map(file -> file.getPath().getName()).toList();
            Layout.require(source, names);
            requireShards(names);
            requireWhole(listed);
            List<StoredFile> content = new ArrayList<>();
            for (FileStatus file : listed) {
                content.add(
                        new StoredFile(file.getPath().getName(), file.getLen(), StoredFile.hash(from, file.getPath())));
            }

            return content;
        }

        /** A download that ended early has an index of files that are not there. */
        private void requireShards(List<String> names) throws IOException {
            for (String name : names) {
                if (!name.endsWith(INDEX)) {
                    continue;
                }

                Path index = new Path(source, name);
                try (InputStream in = from.open(index)) {
                    String text = BoundedText.read(in, InputLimits.DEFAULT.configBytes(), index);
                    for (String shard : new TreeSet<>(
                            ShardIndexJson.read(index.toString(), text).values())) {
                        if (!names.contains(shard)) {
                            throw new BadInputException(
                                    "Cannot publish %s: %s lists %s, which does not exist. Is the download complete?"
                                            .formatted(source, name, shard));
                        }
                    }
                }
            }
        }

        /** Of a copy or download that was cut off, the file is shorter than its header says. */
        private void requireWhole(List<FileStatus> listed) throws IOException {
            for (FileStatus file : listed) {
                if (file.getPath().getName().endsWith(SAFETENSORS)) {
                    try (InputStream in = new BufferedInputStream(from.open(file.getPath()))) {
                        SafetensorsLayout.requireWhole(file.getPath().toString(), in, file.getLen());
                    }
                }
            }
        }

        private void copy(StoredFile file) throws IOException {
            Path copy = new Path(target, file.name());
            if (to.exists(copy) && isWhole(file, copy)) {
                return;
            }

            StoredFile stored = WholeFile.create(to, copy, out -> {
                try (InputStream in = from.open(new Path(source, file.name()))) {
                    in.transferTo(out);
                }
            });
            if (!stored.equals(file)) {
                throw new IOException("Cannot publish %s: it changed while it was copied".formatted(file.name()));
            }
        }

        /** Whether a process that died left the whole copy. One that ends early has nothing that the file lacks, and goes. */
        private boolean isWhole(StoredFile file, Path copy) throws IOException {
            long length = to.getFileStatus(copy).getLen();
            if (!isBeginning(file, copy, length)) {
                throw new BadInputException(
                        "Cannot publish %s as %s: expected a new folder, found another %s in it. Give each version a folder of its own"
                                .formatted(source, target, file.name()));
            }

            if (length < file.bytes()) {
                Removal.file(to, copy);
                return false;
            }

            return true;
        }

        private boolean isBeginning(StoredFile file, Path copy, long length) throws IOException {
            if (length > file.bytes()) {
                return false;
            }

            try (InputStream begun = to.open(copy);
                    InputStream whole = from.open(new Path(source, file.name()))) {
                byte[] part = begun.readNBytes(BUFFER);
                while (part.length > 0 && Arrays.equals(part, whole.readNBytes(part.length))) {
                    part = begun.readNBytes(BUFFER);
                }

                return part.length == 0;
            }
        }

        /** Under a name that a process has begun to write one of our files, and died. */
        private static boolean isUnfinished(String name, List<StoredFile> content) {
            return WholeFile.targetOf(name)
                    .filter(begun -> begun.equals(COMMIT)
                            || content.stream().anyMatch(file -> file.name().equals(begun)))
                    .isPresent();
        }

        private void requireSame(Path commit, String expected) throws IOException {
            try (InputStream in = to.open(commit)) {
                if (!BoundedText.read(in, InputLimits.DEFAULT.documentBytes(), commit)
                        .equals(expected)) {
                    throw new BadInputException(
                            "Cannot publish %s as %s: other files are published there. Give each version a folder of its own"
                                    .formatted(source, target));
                }
            }
        }

        private void requireNoOther(List<StoredFile> content) throws IOException {
            if (!to.exists(target)) {
                return;
            }

            Set<String> others = Arrays.stream(to.listStatus(target))
                    .map(status -> status.getPath().getName())
                    .collect(Collectors.toCollection(TreeSet::new));
            content.forEach(file -> others.remove(file.name()));
            others.removeIf(name -> isUnfinished(name, content));
            if (!others.isEmpty()) {
                throw new BadInputException("Cannot publish %s as %s: expected a new folder, found %s in it"
                        .formatted(source, target, others));
            }
        }
    }
}

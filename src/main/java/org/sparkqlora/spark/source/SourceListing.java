package org.sparkqlora.spark.source;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.FileNames;
import org.sparkqlora.input.PrintableText;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.storage.StoreRequests;

/** Finds the files behind files, folders and globs on any Hadoop file system, and tables of the catalog. Driver only. */
public final class SourceListing {
    private static final String LOCAL = "file";

    /** Names of documentation files beside data sets. A file that is named itself is read nevertheless. */
    private static final Pattern ABOUT_DATA = Pattern.compile(
            "(?i)(readme|licen[cs]e|notice|changelog|citation)([._-].*)?|.*\\.(md|rst|html|pdf)|dataset_infos?\\.json");

    private final SparkSession session;
    private final Configuration configuration;
    private final CompressionCodecFactory codecs;
    private final TableFolders folders = new TableFolders();
    private final SinkFolders sinks;
    private final Map<Path, SourceFile> known = new ConcurrentHashMap<>();
    private final Map<Asked, SourceTable> pins = new HashMap<>(); // a table stays as it was first listed
    private final LocalNames names = new LocalNames(FileNames.ofProcess());

    public SourceListing(SparkSession session, Configuration configuration) {
        this.session = session;
        this.configuration = configuration;
        this.sinks = new SinkFolders(session);
        this.codecs = new CompressionCodecFactory(configuration);
    }

    /** All sources without a weight as one, each weighted source on its own; files are sorted by path. */
    public List<ListedSource> list(List<WeightedSource> sources) {
        return sources.get(0).isWeighted()
                ? sources.stream()
                        .map(source -> list(List.of(source), source.weight()))
                        .toList()
                : List.of(list(sources, 0));
    }

    private ListedSource list(List<WeightedSource> sources, double weight) {
        Found found = new Found(new ArrayList<>(), new ArrayList<>());
        for (WeightedSource source : sources) {
            if (UnorderedRecords.mayBeTable(source.place()) && !exists(source.place())) {
                found.tables().add(requireTable(source));
            } else {
                find(source, found);
            }
        }

        found.files().sort(Comparator.comparing(SourceFile::path));
        found.tables().sort(Comparator.comparing(SourceTable::name).thenComparing(SourceTable::told));
        String name = sources.stream().map(WeightedSource::path).collect(Collectors.joining(","));
        return new ListedSource(
                name,
                weight,
                found.files().stream().distinct().toList(),
                found.tables().stream().distinct().toList());
    }

    /** A table as it is named. */
    private record Asked(String name, @Nullable TableFormat format, Optional<TableVersion> version) {}

    /** The sources listed so far. */
    private record Found(List<SourceFile> files, List<SourceTable> tables) {
        int size() {
            return files.size() + tables.size();
        }
    }

    private boolean exists(String path) {
        try {
            Path file = StorePath.parse(path);
            return StorePath.files(file, configuration).exists(file);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look for " + path, e);
        }
    }

    private SourceTable requireTable(WeightedSource source) {
        String name = source.place();
        if (!SourceTable.exists(session, name)) {
            throw new BadInputException(
                    "Cannot read data from %s: expected a file, a folder, or a table of the catalog, found none of them"
                            .formatted(name));
        }

        return pins.computeIfAbsent(
                        new Asked(name, null, source.query().version()),
                        asked -> SourceTable.ofCatalog(session, asked.name(), asked.version()))
                .selecting(session, source.query().selection());
    }

    private void find(WeightedSource named, Found found) {
        String source = named.place();
        int before = found.size();
        int filesBefore = found.files().size();
        try {
            Path path = StorePath.parse(source);
            FileSystem fileSystem = StorePath.files(path, configuration);
            if (fileSystem.getScheme().equals(LOCAL)) {
                names.require(fileSystem.makeQualified(path).toUri().getPath());
            }

            List<FileStatus> files = new ArrayList<>();
            for (FileStatus match : StorePath.matches(path, fileSystem)) {
                folders.requireOutside(fileSystem, match.getPath());
                files.addAll(collect(fileSystem, match, named.query(), found.tables()));
            }

            found.files().addAll(StoreRequests.all(files, this::toSource));
        } catch (IllegalArgumentException e) {
            throw StorePath.refused(source, e);
        } catch (IOException e) {
            throw refused(source, e);
        }

        TableQuery query = named.query();
        boolean ofTable = query.version().isPresent() || !query.selection().isAll();
        if (ofTable && found.files().size() > filesBefore) {
            throw new BadInputException("Cannot read %s: expected %s, found files"
                    .formatted(named.path(), query.version().isPresent() ? "a Delta or Iceberg table" : "a table"));
        }

        if (found.size() == before) {
            throw new BadInputException("Cannot read data from %s: expected at least one file, found none%s"
                    .formatted(source, WeightedSource.advice(source)));
        }
    }

    private static RuntimeException refused(String source, IOException e) {
        if (StorePath.isDenied(e)) {
            return new BadInputException(
                    "Cannot read data from %s: expected files that this user may read, found %s"
                            .formatted(source, PrintableText.firstLine(e)),
                    e);
        }

        if (e instanceof FileNotFoundException) {
            return new BadInputException(
                    "Cannot read data from %s: no such file or folder%s"
                            .formatted(source, WeightedSource.advice(source)),
                    e);
        }

        return new UncheckedIOException("Failed to list " + source, e);
    }

    /** The files of a match; {@code found} takes its tables. */
    private List<FileStatus> collect(FileSystem fileSystem, FileStatus match, TableQuery query, List<SourceTable> found)
            throws IOException {
        if (match.isFile()) {
            return List.of(match);
        }

        List<FileStatus> files = new ArrayList<>();
        Map<Path, TableFormat> tables = new TreeMap<>();
        Set<Path> logged = new TreeSet<>();
        RemoteIterator<LocatedFileStatus> inside = fileSystem.listFiles(match.getPath(), true);
        while (inside.hasNext()) {
            FileStatus file = inside.next();
            TableFormat.rootByLog(file.getPath())
                    .filter(table -> !isHidden(match.getPath(), table.folder()))
                    .ifPresent(table -> tables.put(table.folder(), table.format()));
            SinkFolders.sinkByLog(file.getPath())
                    .filter(sink -> !isHidden(match.getPath(), sink))
                    .ifPresent(logged::add);
            if (!isHidden(match.getPath(), file.getPath())) {
                files.add(file);
            }
        }

        tables.forEach((folder, format) -> found.add(pins.computeIfAbsent(
                        new Asked(folder.toString(), format, query.version()),
                        asked -> SourceTable.ofFolder(session, asked.name(), format, asked.version()))
                .selecting(session, query.selection())));
        return counted(files, logged).stream()
                .filter(file -> tables.keySet().stream().noneMatch(table -> isBelow(table, file.getPath())))
                .filter(file -> !ABOUT_DATA.matcher(file.getPath().getName()).matches())
                .toList();
    }

    /** Without those that a sink's log does not name. */
    private List<FileStatus> counted(List<FileStatus> files, Set<Path> logged) {
        Set<Path> there = files.stream().map(FileStatus::getPath).collect(Collectors.toSet());
        Set<Path> left = new HashSet<>();
        for (Path sink : logged) {
            List<Path> inside =
                    there.stream().filter(file -> isBelow(sink, file)).toList();
            left.addAll(inside);
            left.removeAll(inside.isEmpty() ? Set.of() : sinks.counted(sink, there));
        }

        return files.stream().filter(file -> !left.contains(file.getPath())).toList();
    }

    private static boolean isBelow(Path folder, Path file) {
        Path at = file.getParent();
        while (at != null && !at.equals(folder)) {
            at = at.getParent();
        }

        return at != null;
    }

    /** A file of JSON has to be opened, once for each version of it. */
    private SourceFile toSource(FileStatus file) throws IOException {
        SourceFile before = known.get(file.getPath());
        if (before != null && before.length() == file.getLen() && before.modified() == file.getModificationTime()) {
            return before;
        }

        SourceFile looked = look(file);
        known.put(file.getPath(), looked);
        return looked;
    }

    private SourceFile look(FileStatus file) throws IOException {
        Path path = file.getPath();
        requireReadable(path);
        boolean compressed = Decompression.isCompressed(path, codecs);
        boolean list = SourceKind.mayBeList(path.getName()) && ListElementsJson.beginsList(path, configuration);
        SourceKind kind = SourceKind.of(path.getName(), list);
        if (!kind.canDecompress(path.getName())) {
            throw new BadInputException(
                    "Cannot read %s: expected %s as it is or with gzip or bzip2, found Zstandard. Compress it anew"
                            .formatted(path, kind.words()));
        }

        return new SourceFile(path.toString(), file.getLen(), file.getModificationTime(), kind, compressed);
    }

    /** On other file systems, asking would take as long as reading. */
    private static void requireReadable(Path path) throws AccessDeniedException {
        if (LOCAL.equals(path.toUri().getScheme()) && !new File(path.toUri().getPath()).canRead()) {
            throw new AccessDeniedException(path.toUri().getPath() + " (Permission denied)");
        }
    }

    private static boolean isHidden(Path folder, Path file) {
        for (Path at = file; at != null && !at.equals(folder); at = at.getParent()) {
            if (at.getName().startsWith(".") || at.getName().startsWith("_")) {
                return true;
            }
        }

        return false;
    }
}

package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FsConstants;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.fs.permission.FsPermission;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PosixFileSystemTest {
    private static final byte[] TEXT = "text".getBytes(StandardCharsets.UTF_8);

    @TempDir
    private Path folder;

    /** A process a file made a listing of 2,000 files take seven seconds. */
    @ParameterizedTest
    @ValueSource(strings = {"with checksums", "without"})
    void writingAndListingStartNoProcess(String which) throws IOException {
        try (Recording recording = new Recording()) {
            recording.enable("jdk.ProcessStart");
            recording.start();
            FileSystem files = which.equals("without")
                    ? LocalFiles.system()
                    : StorePath.files(LocalFiles.path(folder), new Configuration());
            org.apache.hadoop.fs.Path file = LocalFiles.path(folder.resolve("new/folder/file"));
            WholeFile.create(files, file, TEXT);
            WholeFile.replace(files, file, TEXT);
            WholeFile.replace(files, file.suffix("s"), TEXT);
            assertThat(listed(files)).hasSize(2).allMatch(name -> name.endsWith("/file") || name.endsWith("/files"));
            recording.stop();

            assertThat(commands(recording)).isEmpty();
        }
    }

    @Test
    void saysWhatHadoopSays() throws IOException {
        Path file = Files.writeString(folder.resolve("a file"), "text");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-x--x"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), file);
        Path below = Files.createDirectory(folder.resolve("below"));

        for (Path each : List.of(file, link, below)) {
            assertThat(told(LocalFiles.system(), each)).isEqualTo(told(hadoops(), each));
        }

        assertThat(LocalFiles.system().listStatus(LocalFiles.path(folder))).hasSize(3);
    }

    @Test
    void setsPermissionsAsHadoopDoes() throws IOException {
        org.apache.hadoop.fs.Path file = LocalFiles.path(Files.writeString(folder.resolve("file"), "text"));
        for (String octal : List.of("640", "755", "1755", "400")) {
            LocalFiles.system().setPermission(file, new FsPermission(octal));
            assertThat(hadoops().getFileStatus(file).getPermission()).isEqualTo(new FsPermission(octal));
        }
    }

    @Test
    void aFileThatIsNotThereIsToldAsHadoopDoes() {
        assertThatThrownBy(() -> LocalFiles.system().getFileStatus(LocalFiles.path(folder.resolve("gone"))))
                .isInstanceOf(FileNotFoundException.class)
                .hasMessage("File file:%s/gone does not exist", folder);
    }

    private static FileSystem hadoops() throws IOException {
        RawLocalFileSystem files = new RawLocalFileSystem();
        files.initialize(FsConstants.LOCAL_FS_URI, new Configuration());
        return files;
    }

    private static TreeMap<String, Object> told(FileSystem files, Path path) throws IOException {
        FileStatus status = files.getFileStatus(LocalFiles.path(path));
        TreeMap<String, Object> told = new TreeMap<>();
        told.put("path", status.getPath());
        told.put("bytes", status.getLen());
        told.put("folder", status.isDirectory());
        told.put("block", status.getBlockSize());
        told.put("copies", status.getReplication());
        told.put("modified", status.getModificationTime());
        told.put("permission", status.getPermission());
        return told;
    }

    private List<String> listed(FileSystem files) throws IOException {
        List<String> names = new ArrayList<>();
        RemoteIterator<LocatedFileStatus> listed = files.listFiles(LocalFiles.path(folder), true);
        while (listed.hasNext()) {
            String name = listed.next().getPath().toString();
            if (!name.endsWith(".crc")) {
                names.add(name);
            }
        }

        return names;
    }

    private List<String> commands(Recording recording) throws IOException {
        Path file = folder.resolve("recording.jfr");
        recording.dump(file);
        List<String> commands = new ArrayList<>();
        for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
            commands.add(event.getString("command"));
        }

        return commands;
    }
}

#!/usr/bin/env php
<?php
// PHP's sessions with phpredis as their handler: a site under PHP's own web server, its visitors,
// its locks, its deadlines, and sessions that outlive the server. The lock itself is taken with
// SET NX; giving it back is a script, so it is left to its deadline here.
// SPDX-License-Identifier: BSD-3-Clause

if (PHP_SAPI === 'cli-server') {
    session_start();
    if ($_SERVER['REQUEST_URI'] === '/leave') {
        session_destroy();
        echo 'bye';
    } elseif ($_SERVER['REQUEST_URI'] === '/renew') {
        session_regenerate_id(true);
        echo $_SESSION['visits'];
    } else {
        $_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
        $_SESSION['bytes'] = implode('', array_map('chr', range(0, 255)));
        echo $_SESSION['visits'];
    }
    return;
}

set_error_handler(
    fn ($kind, $text) => error_reporting() & $kind ? throw new ErrorException($text) : true
);

function expect($got, $right)
{
    if ($got !== $right) {
        [$right, $got] = [var_export($right, true), var_export($got, true)];
        throw new Exception("expected $right, got $got");
    }
}

function cli($words)
{
    exec('redis-cli -h ' . getenv('HOST') . ' -p ' . getenv('PORT') . " $words 2>&1", $said);
    return $said;
}

class Visitor
{
    public $cookie = '';

    function __construct(private $site)
    {
    }

    function ask($path = '/')
    {
        $http = ['header' => "Cookie: $this->cookie", 'timeout' => 30];
        $context = stream_context_create(['http' => $http]);
        $text = file_get_contents("http://$this->site$path", false, $context);
        foreach ($http_response_header as $header) {
            if (preg_match('/^Set-Cookie: (PHPSESSID=[^;]*)/', $header, $found)) {
                $this->cookie = $found[1];
            }
        }
        return $text;
    }
}

function start_site($path)
{
    $socket = stream_socket_server('tcp://127.0.0.1:0');
    $site = stream_socket_get_name($socket, false);
    fclose($socket);
    $settings = ['session.save_handler' => 'redis', 'session.save_path' => $path,
        'session.gc_maxlifetime' => '500', 'redis.session.locking_enabled' => '0'];
    $words = ['php', '-S', $site];
    foreach ($settings as $name => $value) {
        array_push($words, '-d', "$name=\"$value\"");
    }
    $process = proc_open([...$words, __FILE__], [2 => ['file', 'site.log', 'w']], $pipes);
    for ($until = time() + 30; !@fsockopen("tcp://$site");) {
        if (time() > $until) {
            throw new Exception("the site does not start: " . file_get_contents('site.log'));
        }
        usleep(20000);
    }
    return [$process, $site];
}

function visits($site)
{
    [$first, $second] = [new Visitor($site), new Visitor($site)];
    expect([$first->ask(), $first->ask(), $first->ask()], ['1', '2', '3']);
    expect($second->ask(), '1');
    $old = $first->cookie;
    expect($first->ask('/renew'), '3');
    expect($first->cookie === $old, false);
    expect($first->ask(), '4');
    expect($second->ask('/leave'), 'bye');
    return $first;
}

$at = getenv('HOST') . ':' . getenv('PORT');
[$process, $site] = start_site("tcp://$at?database=3&prefix=site:&timeout=5");
$visitor = visits($site);
expect(cli('-n 3 dbsize'), ['1']);
$key = str_replace('PHPSESSID=', 'site:', $visitor->cookie);
expect(cli("-n 3 ttl $key")[0] > 490, true);
expect(str_starts_with(cli("-n 3 get $key")[0], 'visits|i:4;'), true);

cli('shutdown save');
for ($until = time() + 30; cli('ping') !== ['PONG'];) {
    expect(time() < $until, true);
}
expect($visitor->ask(), '5');
proc_terminate($process);
proc_close($process);

// Once more, over connections that last from one request to the next.
[$process, $site] = start_site("tcp://$at?persistent=1");
visits($site);
expect(preg_match('/Warning|Fatal|Error/', file_get_contents('site.log')), 0);
proc_terminate($process);
proc_close($process);

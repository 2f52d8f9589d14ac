throw new Error('a file of the installation is missing');

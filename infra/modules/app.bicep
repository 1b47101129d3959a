// The Flex Consumption plan and the function app, without its settings: those need its host name and the registrations.

@description('Suffix that makes names unique.')
@minLength(13)
@maxLength(13)
param token string

@description('Region.')
param location string

@description('Tags of the environment.')
param tags object

@description('Resource id of the app\'s identity.')
param identityId string

@description('Address of the container from which the package is loaded.')
param deploymentContainer string

@description('Memory of an instance, in MB.')
param instanceMemoryMB int

@description('The most instances that the app scales out to.')
param maximumInstanceCount int

@description('Instances of the group durable (orchestrators and activities) that are kept running.')
param durableAlwaysReady int

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: 'func-${token}'
  location: location
  // azd finds the service by its tag.
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identityId
    siteConfig: {
      ftpsState: 'Disabled'
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainer
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: durableAlwaysReady == 0 ? [] : [
          {
            name: 'durable'
            instanceCount: durableAlwaysReady
          }
        ]
      }
    }
  }
}

// No user name and password for publishing: packages come by Entra tokens only.
resource ftpPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scmPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

@description('Name of the app.')
output name string = app.name

@description('Host name under which the app is reached.')
output hostName string = app.properties.defaultHostName
